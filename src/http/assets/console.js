// At a desk: single keys, a reason's own words, and how long a case is ours.
// Everything here can be done without it.

const KEYS_OFF = "console-keys-off";

const on = document.querySelector("[data-keys-on]");
const areOff = () => localStorage.getItem(KEYS_OFF) === "1";
if (on) {
  on.checked = !areOff();
  on.addEventListener("change", () => localStorage.setItem(KEYS_OFF, on.checked ? "0" : "1"));
}

const types = (element) => element.closest("textarea, select, input:not([type=radio], [type=checkbox])");

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    // Enter within a form sends it of its own accord.
    event.preventDefault();
    document.querySelector("[data-send]")?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || areOff() || types(event.target)) return;
  if (event.key === "j" || event.key === "k") {
    step(event.key === "j" ? 1 : -1);
    return;
  }
  const target = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.click();
});

// A form that is under way is not sent again by a second click; whoever comes
// back to the page may.
const underWay = new Set();
document.addEventListener("submit", (event) => {
  if (underWay.has(event.target)) event.preventDefault();
  underWay.add(event.target);
});
addEventListener("pageshow", () => underWay.clear());

// To the next heading of the case, or back.
function step(by) {
  const headings = [...document.querySelectorAll("main h2")];
  const top = (heading) => heading.getBoundingClientRect().top;
  const found = by > 0 ? headings.find((one) => top(one) > 24) : headings.findLast((one) => top(one) < -1);
  if (!found) return;
  found.tabIndex = -1;
  found.focus({ preventScroll: true });
  found.scrollIntoView({ block: "start" });
}

// A reason that is chosen brings its words, unless somebody wrote their own.
const note = document.getElementById("public_note");
const words = new Set([""]);
document.querySelectorAll("option[data-note]").forEach((option) => words.add(option.dataset.note));

function bring() {
  const decision = document.querySelector("[name=decision]:checked")?.value;
  const chosen = document.getElementById(`reason_${decision}`)?.selectedOptions[0];
  if (chosen && words.has(note.value)) note.value = chosen.dataset.note;
}
document.querySelector(".deciding")?.addEventListener("change", bring);

const lease = document.querySelector("[data-lease-seconds]");
if (lease) {
  const end = Date.now() + Number(lease.dataset.leaseSeconds) * 1000;
  const left = lease.querySelector("[data-left]");
  const said = document.querySelector("[data-lease-said]");
  const tick = () => {
    const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
    left.textContent = `(${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")})`;
    lease.classList.toggle("late", seconds <= 120);
    if (seconds <= 120 && seconds > 0) said.textContent = lease.dataset.soon;
    if (seconds === 0) {
      said.textContent = lease.dataset.over;
      said.className = "note wrong";
      clearInterval(timer);
    }
  };
  const timer = setInterval(tick, 1000);
  tick();
}
