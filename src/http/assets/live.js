// Keeps a page that waits for something up to date: asks for it again every
// `data-live` seconds, and shows what has changed without moving anybody's
// place. Without scripts the page is simply loaded again (its <noscript>).

const main = document.querySelector("main[data-live]");
const seconds = Number(main?.dataset.live);

const busy = () => document.hidden || main.querySelector("form :focus");

async function look() {
  if (busy()) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (answer.redirected) {
    location.replace(answer.url);
    return;
  }
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  if (!fresh || fresh.innerHTML === known || busy()) return;
  known = fresh.innerHTML;
  const status = fresh.querySelector("[role=status]")?.textContent ?? "";
  const before = main.querySelector("[role=status]")?.textContent ?? "";
  main.replaceChildren(...fresh.childNodes);
  if (status !== before) told.textContent = status;
  if (!fresh.dataset.live) {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", soon);
  }
}

let known = main?.innerHTML;
const told = document.createElement("p");
told.className = "unseen";
told.setAttribute("role", "status");
main?.after(told);
// Nobody is at a loss when one look fails: the next is a moment away.
const soon = () => look().catch(() => {});
const timer = main && setInterval(soon, seconds * 1000);
// Whoever comes back from writing a message need not wait.
if (main) document.addEventListener("visibilitychange", soon);
