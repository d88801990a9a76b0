
// A run that was killed cannot say so: its page tells by the reader's clock that no sign came for too long.
const state = document.querySelector('.durum');
const isSilent = Date.now() / 1000 - state.dataset.an > state.dataset.sabir;
const [goesOn, isGone] = state.children;
state.classList.toggle('yanitsiz', isSilent);
[goesOn.hidden, isGone.hidden] = [isSilent, !isSilent];
