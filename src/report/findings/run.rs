//! Findings on the run as a whole: how far it came, what it was made with, how long it was.

use super::{Finding, Kind};
use crate::record::{RunRecord, Status};
use crate::report::finding::Claim;
use crate::report::measures;
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    let planned = Quantity::new("training.total_steps", record.training.total_steps);
    let made = measures::steps_made(record);
    match record.status {
        Status::Failed => {
            let step = record.failure.as_ref().map_or(0, |failure| failure.step);
            let step = Quantity::new("failure.step", step);
            findings.push(Kind::RunFailed.with([
                ("step", step),
                ("planned", planned.clone()),
                ("made", made),
            ]));
        }
        Status::Running | Status::Interrupted => {
            findings.push(Kind::RunUnfinished.with([("planned", planned.clone()), ("made", made)]))
        }
        Status::Completed => {}
    }
    let rows = Quantity::new("dataset.rows", record.dataset.rows);
    if record.smoke {
        findings.push(Kind::SmokeRun.with([("rows", rows.clone()), ("planned", planned.clone())]));
    }
    if record.model.demonstration {
        let parameters = Quantity::new("model.parameters", record.model.parameters);
        findings.push(Kind::DemonstrationModel.with([("parameters", parameters)]));
    }
    if record.dataset.synthetic {
        findings.push(Kind::SyntheticData.with([("rows", rows)]));
    }
    let asked = measures::steps_of_epochs(record);
    // A smoke run is cut by what it is, and says so.
    if planned.real() < asked.real() && !record.smoke {
        let epochs = Quantity::new("recipe.train.epochs", record.recipe.train.epochs);
        findings.push(Kind::StepsCut.with([("planned", planned), ("asked", asked), ("epochs", epochs)]));
    }
    findings
}
