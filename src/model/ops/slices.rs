//! Slices of CPU tensors: read several, write a new tensor or one in place.

use super::Element;
use candle_core::backend::BackendStorage;
use candle_core::{CpuStorage, Device, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};
use rayon::prelude::*;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

fn values<E: Element>(storage: &CpuStorage, offset: usize) -> Result<&[E]> {
    match E::values(storage) {
        Some(values) => Ok(&values[offset..]),
        None => bail!("a CPU kernel of {:?} got {:?}", E::DTYPE, BackendStorage::dtype(storage)),
    }
}

/// The values of a tensor of the host while it is held, as [`read`] gives them.
pub(crate) fn values_of<'a, E: Element>(storage: &'a Storage, layout: &Layout) -> Result<&'a [E]> {
    match storage {
        Storage::Cpu(storage) => values(storage, layout.start_offset()),
        _ => bail!("a CPU kernel got a tensor of another device"),
    }
}

/// Calls `with` on the tensors' values. A slice begins at the tensor's first element; where the tensor is
/// a view, the caller steps by its strides.
pub(crate) fn read<E: Element, const N: usize, R>(
    tensors: [&Tensor; N],
    with: impl FnOnce([&[E]; N]) -> Result<R>,
) -> Result<R> {
    let guards = tensors.map(|tensor| tensor.storage_and_layout());
    let mut slices: [&[E]; N] = [&[]; N];
    for (slice, (storage, layout)) in slices.iter_mut().zip(&guards) {
        *slice = values_of(storage, layout)?;
    }
    with(slices)
}

/// So many zeros, on all threads: `vec!` writes them on one while the others wait, a twentieth of a pass.
#[allow(unsafe_code, reason = "the length is set after as many numbers are written")]
pub(crate) fn zeros<E: Element>(count: usize) -> Vec<E> {
    const CHUNK: usize = 1 << 16;
    let mut values = Vec::with_capacity(count);
    let chunks = values.spare_capacity_mut()[..count].par_chunks_mut(CHUNK);
    chunks.for_each(|chunk| chunk.fill(MaybeUninit::new(E::narrowed(0.0))));
    // SAFETY: the first `count` places were written above.
    unsafe { values.set_len(count) };
    values
}

/// A new tensor of `shape`, filled from the values of `sources`.
pub(crate) fn create<E: Element, S: Element, const N: usize>(
    shape: impl Into<Shape>,
    sources: [&Tensor; N],
    fill: impl FnOnce(&mut [E], [&[S]; N]),
) -> Result<Tensor> {
    let shape = shape.into();
    let mut values = zeros(shape.elem_count());
    read(sources, |sources| {
        fill(&mut values, sources);
        Ok(())
    })?;
    Tensor::from_vec(values, shape, &Device::Cpu)
}

struct InPlace<E, F>(RefCell<Option<F>>, PhantomData<E>);

impl<E: Element, F: FnOnce(&mut [E])> InplaceOp1 for InPlace<E, F> {
    fn name(&self) -> &'static str {
        "in-place kernel"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let Some(values) = E::values_mut(storage) else { bail!("a CPU kernel takes {:?}", E::DTYPE) };
        if let Some(kernel) = self.0.take() {
            kernel(&mut values[layout.start_offset()..]);
        }
        Ok(())
    }
}

/// Runs `kernel` on the values of `target`, which every other holder of its storage sees changed.
pub(crate) fn change<E: Element>(target: &Tensor, kernel: impl FnOnce(&mut [E])) -> Result<()> {
    target.inplace_op1(&InPlace(RefCell::new(Some(kernel)), PhantomData))
}

/// Runs `kernel` on the values of `target`, which every other holder of its storage sees changed.
/// `sources` must not share storage with it.
pub(crate) fn in_place<E: Element, S: Element, const N: usize>(
    target: &Tensor,
    sources: [&Tensor; N],
    kernel: impl FnOnce(&mut [E], [&[S]; N]),
) -> Result<()> {
    read(sources, |sources| change(target, |values| kernel(values, sources)))
}

/// [`in_place`] on several tensors of f32 at once, none of which may share storage with another.
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
    change(target, |values| {
        let mut opened: Vec<&mut [f32]> = opened;
        opened.push(values);
        outcome = open(rest, opened, kernel);
    })?;
    outcome
}
