"""Where transformers' own EarlyStoppingCallback stops (5.24.0): `python3 early_stopping.py > early_stopping.json`.

The Trainer calls the callback with an evaluation's metrics and only then takes them for the best, where they are lower
(`_maybe_log_save_evaluate` and `_determine_best_metric` in trainer.py).
"""
import json
import random
from types import SimpleNamespace

from transformers.trainer_callback import EarlyStoppingCallback, TrainerControl, TrainerState

args = SimpleNamespace(greater_is_better=False, metric_for_best_model="loss", load_best_model_at_end=True)


def stops_after(losses, patience):
    callback, state, control = EarlyStoppingCallback(patience), TrainerState(), TrainerControl()
    for made, loss in enumerate(losses, 1):
        callback.on_evaluate(args, state, control, {"eval_loss": loss})
        if state.best_metric is None or loss < state.best_metric:
            state.best_metric = loss
        if control.should_training_stop:
            return made


draws = random.Random(3407)
cases = []
for _ in range(300):
    # Few values, so that many are equal.
    losses = [draws.randrange(1, 7) / 4 - 0.01 * place * draws.randrange(3) for place in range(draws.randrange(1, 13))]
    patience = draws.randrange(1, 5)
    cases.append({"patience": patience, "losses": losses, "stops_after": stops_after(losses, patience)})
print("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]")
