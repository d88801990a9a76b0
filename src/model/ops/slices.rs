//! f32 slices of CPU tensors: read several, write a new tensor or one in place.

use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};
use std::cell::RefCell;

fn f32s(storage: &CpuStorage, offset: usize) -> Result<&[f32]> {
    match storage {
        CpuStorage::F32(values) => Ok(&values[offset..]),
        other => {
            bail!("a CPU kernel takes f32, not {:?}", candle_core::backend::BackendStorage::dtype(other))
        }
    }
}

/// Calls `with` on the tensors' values. A slice begins at the tensor's first element; where the tensor is
/// a view, the caller steps by its strides.
pub(crate) fn read<const N: usize, R>(
    tensors: [&Tensor; N],
    with: impl FnOnce([&[f32]; N]) -> Result<R>,
) -> Result<R> {
    let guards = tensors.map(|tensor| tensor.storage_and_layout());
    let mut slices: [&[f32]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        *slice = match &**storage {
            Storage::Cpu(storage) => f32s(storage, layout.start_offset())?,
            _ => bail!("a CPU kernel got a tensor of another device"),
        };
    }
    with(slices)
}

/// A new tensor of `shape`, filled from the values of `sources`.
pub(crate) fn create<const N: usize>(
    shape: impl Into<Shape>,
    sources: [&Tensor; N],
    fill: impl FnOnce(&mut [f32], [&[f32]; N]),
) -> Result<Tensor> {
    let shape = shape.into();
    let mut values = vec![0f32; shape.elem_count()];
    read(sources, |sources| {
        fill(&mut values, sources);
        Ok(())
    })?;
    Tensor::from_vec(values, shape, &Device::Cpu)
}

struct InPlace<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut [f32])> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "in-place kernel"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::F32(values) = storage else { bail!("a CPU kernel takes f32") };
        if let Some(kernel) = self.0.take() {
            kernel(&mut values[layout.start_offset()..]);
        }
        Ok(())
    }
}

/// Runs `kernel` on the values of `target`, which every other holder of its storage sees changed.
/// `sources` must not share storage with it.
pub(crate) fn in_place<const N: usize>(
    target: &Tensor,
    sources: [&Tensor; N],
    kernel: impl FnOnce(&mut [f32], [&[f32]; N]),
) -> Result<()> {
    read(sources, |sources| {
        target.inplace_op1(&InPlace(RefCell::new(Some(|values: &mut [f32]| kernel(values, sources)))))
    })
}

/// [`in_place`] on several tensors at once, none of which may share storage with another.
pub(crate) fn in_place_together<const M: usize, const N: usize>(
    targets: [&Tensor; M],
    sources: [&Tensor; N],
    kernel: impl FnOnce([&mut [f32]; M], [&[f32]; N]),
) -> Result<()> {
    read(sources, |sources| {
        // candle hands out one storage at a time: each is opened inside the one before.
        let kernel = |targets: Vec<&mut [f32]>| {
            let targets =
                targets.try_into().unwrap_or_else(|_| unreachable!("a slice for each of {M} targets"));
            kernel(targets, sources);
        };
        open(&targets, Vec::with_capacity(M), Box::new(kernel))
    })
}

type OnSlices<'k> = Box<dyn FnOnce(Vec<&mut [f32]>) + 'k>;

fn open(targets: &[&Tensor], opened: Vec<&mut [f32]>, kernel: OnSlices) -> Result<()> {
    let Some((target, rest)) = targets.split_first() else {
        kernel(opened);
        return Ok(());
    };
    let mut outcome = Ok(());
    in_place(target, [], |values, []| {
        let mut opened: Vec<&mut [f32]> = opened;
        opened.push(values);
        outcome = open(rest, opened, kernel);
    })?;
    outcome
}
