//! AdamW with decoupled weight decay (Loshchilov and Hutter, 2019) and clipping by the global norm.
//!
//! p -= lr wd p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;
//! p -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps), with b1 = 0.9, b2 = 0.999, eps = 1e-8: PyTorch's.

use crate::error::{Error, Result};
use crate::model::network::adapter;
use crate::model::network::linear::Parameter;
use crate::model::network::llama::Llama;
#[cfg(feature = "cuda")]
use crate::model::ops::cuda;
use crate::model::ops::{change, dispatch, in_place_together, is_fast, on_threads, read};
use crate::record::Optimizer;
use candle_core::{DType, Device, Tensor};

const BETA1: f64 = Optimizer::ADAMW.beta1;
const BETA2: f64 = Optimizer::ADAMW.beta2;
const EPSILON: f64 = Optimizer::ADAMW.epsilon;

/// The two running means of one parameter, on its device.
struct Moments {
    first: Tensor,
    second: Tensor,
}

/// The optimizer's state: moments in the declared order of the parameters.
pub struct AdamW {
    steps: u64,
    moments: Vec<Moments>,
    weight_decay: f64,
    max_grad_norm: f64,
}

impl AdamW {
    /// Zero moments for every trained tensor of the model.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn new(model: &Llama, weight_decay: f64, max_grad_norm: f64) -> Result<Self> {
        let moments: Result<Vec<Moments>> = adapter::parameters(model)
            .map(|(_, parameter)| {
                Ok(Moments { first: parameter.value.zeros_like()?, second: parameter.value.zeros_like()? })
            })
            .collect();
        Ok(AdamW { steps: 0, moments: moments?, weight_decay, max_grad_norm })
    }

    /// Updates every trained tensor from its gradient, zeroes the gradients and returns their L2 norm
    /// before clipping. A norm that is no finite number changes nothing.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn step(&mut self, model: &mut Llama, learning_rate: f64) -> Result<f64> {
        let device = model.device.clone();
        let parameters: Vec<&mut Parameter> =
            adapter::parameters_mut(model).map(|(_, parameter)| parameter).collect();
        let gradients = parameters.iter().map(|parameter| &parameter.gradient).collect();
        let norm = all_squares(&device, gradients)?.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        self.steps += 1;
        let update = Update {
            clip: (self.max_grad_norm / (norm + 1e-6)).min(1.0),
            decay: 1.0 - learning_rate * self.weight_decay,
            step_size: learning_rate / (1.0 - BETA1.powi(self.steps as i32)),
            second_correction: (1.0 - BETA2.powi(self.steps as i32)).sqrt(),
        };
        let pairs = parameters.into_iter().zip(&mut self.moments).collect();
        on_threads(&device, pairs, |(parameter, moments)| update.apply(parameter, moments))?;
        Ok(norm)
    }

    /// The moments by name, for a checkpoint.
    pub(super) fn state(&self, model: &Llama) -> Result<Vec<(String, Tensor)>> {
        let mut state = vec![("step".to_string(), Tensor::new(&[self.steps as i64], &Device::Cpu)?)];
        for ((name, _), moments) in adapter::parameters(model).zip(&self.moments) {
            state.push((format!("{name}.exp_avg"), moments.first.to_device(&Device::Cpu)?));
            state.push((format!("{name}.exp_avg_sq"), moments.second.to_device(&Device::Cpu)?));
        }
        Ok(state)
    }

    /// Takes the moments of a checkpoint.
    ///
    /// # Errors
    /// A state of another set of parameters.
    pub(super) fn restore(
        &mut self,
        model: &Llama,
        mut take: impl FnMut(&str) -> Option<Tensor>,
    ) -> Result<()> {
        let mut found = |name: &str| {
            take(name).ok_or_else(|| Error::Adapter {
                path: "optimizer state".into(),
                message: format!("{name} is missing"),
            })
        };
        self.steps = found("step")?.to_vec1::<i64>()?.first().copied().unwrap_or(0) as u64;
        for ((name, parameter), moments) in adapter::parameters(model).zip(&mut self.moments) {
            for (tensor, suffix) in [(&mut moments.first, "exp_avg"), (&mut moments.second, "exp_avg_sq")] {
                let value = found(&format!("{name}.{suffix}"))?;
                *tensor = value.reshape(parameter.value.shape())?.to_device(&model.device)?;
            }
        }
        Ok(())
    }
}

/// The squares of all gradients, summed in the declared order: the same norm on any number of threads.
fn all_squares(device: &Device, gradients: Vec<&Tensor>) -> Result<f64> {
    #[cfg(feature = "cuda")]
    if gradients.iter().all(|gradient| cuda::adamw::takes(gradient)) {
        return Ok(cuda::adamw::sum_of_squares(&gradients)?);
    }
    Ok(on_threads(device, gradients, sum_of_squares)?.iter().sum())
}

fn sum_of_squares(gradient: &Tensor) -> Result<f64> {
    if !is_fast(gradient) {
        let sum = gradient.sqr()?.sum_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        return Ok(sum.to_scalar()?);
    }
    let count = gradient.elem_count();
    let sum = read([gradient], |[gradient]| {
        const BLOCK: usize = 4096;
        let block_sum = |block: &[f32]| {
            dispatch(
                #[inline(always)]
                || {
                    let mut sums = [0f32; 16];
                    for chunk in block.chunks(16) {
                        for (sum, g) in sums.iter_mut().zip(chunk) {
                            *sum += g * g;
                        }
                    }
                    sums.iter().sum::<f32>() as f64
                },
            )
        };
        Ok(gradient[..count].chunks(BLOCK).map(block_sum).sum::<f64>())
    })?;
    Ok(sum)
}

/// The scalars of one step.
struct Update {
    clip: f64,
    decay: f64,
    step_size: f64,
    second_correction: f64,
}

impl Update {
    fn apply(&self, parameter: &mut Parameter, moments: &mut Moments) -> Result<()> {
        parameter.will_change();
        if is_fast(&parameter.value) {
            return self.apply_in_place(parameter, moments);
        }
        #[cfg(feature = "cuda")]
        if cuda::adamw::takes(&parameter.value) {
            let tensors = [&parameter.gradient, &moments.first, &moments.second, &parameter.value];
            return Ok(cuda::adamw::update(tensors, self.narrowed())?);
        }
        let gradient = (&parameter.gradient * self.clip)?;
        moments.first = ((&moments.first * BETA1)? + (&gradient * (1.0 - BETA1))?)?;
        moments.second = ((&moments.second * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?;
        let denominator = ((moments.second.sqrt()? / self.second_correction)? + EPSILON)?;
        let step = ((&moments.first / denominator)? * self.step_size)?;
        parameter.value = ((&parameter.value * self.decay)? - step)?;
        parameter.gradient = parameter.value.zeros_like()?;
        Ok(())
    }

    /// The scalars as kernels take them: clip; b1, 1 - b1, b2, 1 - b2; decay, step size, 1 / second correction, eps.
    fn narrowed(&self) -> [f32; 9] {
        let [first, second] = [BETA1, BETA2].map(|beta| [beta as f32, (1.0 - beta) as f32]);
        let [decay, step_size, clip] = [self.decay, self.step_size, self.clip].map(|wide| wide as f32);
        let correction = (1.0 / self.second_correction) as f32;
        [clip, first[0], first[1], second[0], second[1], decay, step_size, correction, EPSILON as f32]
    }

    fn apply_in_place(&self, parameter: &Parameter, moments: &Moments) -> Result<()> {
        let count = parameter.value.elem_count();
        let [clip, beta1, one_minus_beta1, beta2, one_minus_beta2, rest @ ..] = self.narrowed();
        let [decay, step_size, inverse_correction, epsilon] = rest;
        let targets = [&parameter.value, &moments.first, &moments.second];
        in_place_together(targets, [&parameter.gradient], |[values, first, second], [gradient]| {
            dispatch(
                #[inline(always)]
                || {
                    let moments = first[..count].iter_mut().zip(&mut second[..count]);
                    let operands = values[..count].iter_mut().zip(&gradient[..count]);
                    for ((p, g), (m, v)) in operands.zip(moments) {
                        let g = g * clip;
                        *m = beta1 * *m + one_minus_beta1 * g;
                        *v = beta2 * *v + one_minus_beta2 * g * g;
                        *p = *p * decay - step_size * *m / (v.sqrt() * inverse_correction + epsilon);
                    }
                },
            );
        })?;
        change(&parameter.gradient, |gradient: &mut [f32]| gradient[..count].fill(0.0))?;
        Ok(())
    }
}
