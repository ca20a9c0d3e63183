// The proof of work in front of whatever sends an SMS.
//
//   <script type="module" src="/assets/proof-of-work.js"></script>
//   <form method="post" data-proof-of-work>
//     …
//     <progress data-proof-progress hidden></progress>
//     <p data-proof-hint aria-live="polite" data-working="…" data-done="…" data-failed="…"></p>
//   </form>
//
// Work begins when somebody begins to fill in the form, and goes on beside
// that; a form that is sent before it is done waits for it. The solution goes
// along as the field `altcha`. What is shown belongs below the button: one that
// moves away between press and release is not pressed.

// A solution may be refused when it is older than two minutes.
const FRESH_MS = 100_000;
const CHALLENGE_URL = "/v1/challenge";

/**
 * Solves a new challenge; what `altcha` wants.
 * `onProgress(share)` is told how much of the numbers was tried, from 0 to 1.
 */
export async function solve({ onProgress, signal } = {}) {
  const response = await fetch(CHALLENGE_URL, { cache: "no-store", credentials: "omit", signal });
  if (!response.ok) throw new Error(`challenge: ${response.status}`);
  const { algorithm, challenge, maxnumber, salt, signature } = await response.json();
  const number = await find({ salt, challenge, maxnumber }, onProgress, signal);
  return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
}

function find(question, onProgress, signal) {
  const worker = new Worker(new URL("proof-of-work-worker.js", import.meta.url));
  const found = new Promise((resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
    worker.onerror = () => reject(new Error("the worker failed"));
    worker.onmessage = ({ data }) => {
      if (data.tried !== undefined) onProgress?.(data.tried / (question.maxnumber || 1));
      else if (data.number === null) reject(new Error("the challenge has no solution"));
      else resolve(data.number);
    };
    worker.postMessage(question);
  });
  return found.finally(() => worker.terminate());
}

/** Puts the proof in front of a form. */
export function guard(form) {
  const progress = form.querySelector("[data-proof-progress]");
  const hint = form.querySelector("[data-proof-hint]");
  const field = form.querySelector("input[name=altcha]") ?? hiddenField(form);
  let underWay = null;
  let solvedAt = -Infinity;

  const say = (state) => {
    form.dataset.proof = state;
    if (hint) hint.textContent = hint.dataset[state] ?? "";
    if (progress) progress.hidden = state !== "working";
  };
  const isFresh = () => field.value !== "" && performance.now() - solvedAt < FRESH_MS;
  const work = async () => {
    say("working");
    const begun = performance.now();
    const onProgress = (share) => {
      if (progress) progress.value = share;
    };
    try {
      field.value = await solve({ onProgress });
      solvedAt = begun;
      say("done");
    } catch (error) {
      field.value = "";
      say("failed");
      throw error;
    } finally {
      underWay = null;
    }
  };
  const solved = () => (isFresh() ? Promise.resolve() : (underWay ??= work()));
  const begin = () => solved().catch(() => {});

  form.addEventListener("focusin", ({ target }) => {
    // Pressing the button brings `submit`, unless what is shown moves it.
    if (!target.matches("button, [type=submit]")) begin();
  });
  form.addEventListener("submit", (event) => {
    if (isFresh()) {
      // Good once: whoever comes back to this page needs another.
      solvedAt = -Infinity;
      return;
    }
    event.preventDefault();
    const { submitter } = event;
    solved().then(
      () => form.requestSubmit(submitter),
      () => {},
    );
  });
}

function hiddenField(form) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "altcha";
  form.append(field);
  return field;
}

for (const form of document.querySelectorAll("form[data-proof-of-work]")) guard(form);
