// j and k move between cards and rows, Enter opens one, "Skip for now" goes to the next. Everything works without it.
"use strict";
(() => {
  const cards = () => [...document.querySelectorAll("[data-card]")];
  const current = () => cards().indexOf(document.activeElement?.closest("[data-card]"));
  const go = (step) => {
    const all = cards();
    if (!all.length) return;
    const next = all[Math.min(all.length - 1, Math.max(0, current() + step))];
    next.focus();
    next.scrollIntoView({ block: "start", behavior: "auto" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, button, a, summary")) return;
    if (event.key === "j") go(1);
    else if (event.key === "k") go(-1);
    else if (event.key === "Enter") {
      const address = document.activeElement?.closest("[data-card]")?.dataset.open;
      if (address) window.location.assign(address);
    } else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-next]");
    if (!link) return;
    event.preventDefault();
    link.closest("[data-card]").focus();
    go(1);
  });
})();
