//! What is left for other programs: the merged model, and where they are asked for its GGUF file and a smaller adapter.

use super::recording::Run;
use crate::error::Result;
use crate::model::files::source::{self, ModelSource};
use crate::model::files::{to_gguf, trained_form};
use crate::model::network::{adapter, merge};
use crate::recipe::{AdapterDtype, Cell, ExportRecipe, GgufType};
use crate::record::folder::{self, Written};
use crate::record::store;
use candle_core::DType;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::rc::Rc;

/// The types of what was written.
#[derive(Serialize, Deserialize)]
struct Exported {
    /// Of the merged model's tensors.
    merged: String,
    /// Of the weights that the update was added to.
    into: String,
    /// Of the GGUF file's matrices; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gguf: Option<String>,
}

/// Writes them, or takes what an earlier call wrote, and lists them in the record.
pub(super) fn export(run: &mut Run) -> Result<()> {
    let of = run.study.follows_from(Cell::Export, &(run.adapter.clone() + &run.study.identity.companions));
    let Exported { merged, into, gguf } = run.cell(Cell::Export, &of, written)?;
    run.list(Written::Merged { dtype: merged, into })?;
    if let Some(dtype) = gguf {
        run.list(Written::Gguf { dtype })?;
        run.list(Written::Modelfile)?;
    }
    match run.record.recipe.export.adapter_dtype {
        AdapterDtype::F32 => Ok(()),
        AdapterDtype::Bf16 => run.list(Written::AdapterBf16),
    }
}

fn written(run: &mut Run) -> Result<(Exported, Vec<PathBuf>)> {
    let base = Rc::clone(&run.study.opened()?.base);
    let folder = run.folder().clone();
    let ExportRecipe { gguf: kind, adapter_dtype } = run.record.recipe.export;
    let Run { study, held, record, .. } = run;
    let lora = &record.recipe.lora;
    let model = held.tuned(study, lora, &folder.adapter())?;

    let (merged, into) = merge::write(model, &base, &folder.merged())?;
    let mut files = folder::files_below(&folder.merged())?;

    let smaller = folder.adapter_bf16();
    match adapter_dtype {
        AdapterDtype::F32 => {
            adapter::FILES.iter().try_for_each(|name| store::remove(&smaller.join(name)))?;
            // Where something of another's lies in it, it stays.
            let _ = std::fs::remove_dir(&smaller);
        }
        AdapterDtype::Bf16 => {
            adapter::write_as(model, lora, &study.notebook.flags.model, DType::BF16, &smaller)?;
            files.extend(folder::files_below(&smaller)?);
        }
    }

    // What another setting wrote would be of another update.
    let of_gguf = [folder.gguf(), folder.modelfile()];
    if kind == GgufType::None {
        of_gguf.iter().try_for_each(|path| store::remove(path))?;
        return Ok((Exported { merged, into, gguf: None }, files));
    }
    // The GGUF file is of the merged folder and of nothing else: the two are one model.
    let whole = source::open(&ModelSource::Folder(folder.merged()))?;
    let [path, modelfile] = &of_gguf;
    let gguf = to_gguf::write(&whole, &base.name, kind, path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let text = trained_form::modelfile(&name, &whole.special(whole.eos_token_id)?);
    store::write_file(modelfile, text.as_bytes())?;
    files.extend(of_gguf);
    Ok((Exported { merged, into, gguf }, files))
}
