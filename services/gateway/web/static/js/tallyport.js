/* Conveniences only: every page works without this file. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");

  const each = (selector, run) => document.querySelectorAll(selector).forEach(run);

  /* A form is sent once: a second press while the first is under way does nothing. A button that saves a file leaves
     the page as it is, so the form may be sent again. */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.submitter?.dataset.file) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const button = event.submitter;
    if (button && !button.dataset.quiet) {
      button.classList.add("busy");
      button.setAttribute("aria-disabled", "true");
    }
  });
  window.addEventListener("pageshow", () => {
    each("form[data-sent]", (form) => delete form.dataset.sent);
    each(".busy", (button) => {
      button.classList.remove("busy");
      button.removeAttribute("aria-disabled");
    });
  });

  /* Theme: switch at once, and let the server remember. */
  each("[data-theme-choice]", (link) => {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const choice = link.dataset.themeChoice;
      root.dataset.theme = choice;
      each("[data-theme-choice]", (other) => {
        if (other.dataset.themeChoice === choice) other.setAttribute("aria-current", "true");
        else other.removeAttribute("aria-current");
      });
      fetch(link.href, { credentials: "same-origin" });
    });
  });

  /* Menus close when the pointer or the keyboard goes elsewhere. */
  document.addEventListener("click", (event) => {
    each("details.menu[open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    each("details.menu[open]", (menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  /* Money in minor units, so that sums are exact. */
  const money = (units, currency, digits) => {
    const text = units.toString().padStart(digits + 1, "0");
    const amount = digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
    const written = new Intl.NumberFormat(root.lang, {
      style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
    }).format(amount);
    /* As on the server: an amount keeps its order inside text that runs the other way. */
    return root.dir === "rtl" ? `\u2066${written.replace(/\u200f/g, "")}\u2069` : written;
  };

  /* Pay page: the figures follow the amounts. Where nothing is added to them, at once; the rest the server works out. */
  each("[data-figures]", (form) => {
    const place = form.querySelector("[data-figures-here]");
    let timer = 0;
    let round = 0;
    const refigure = async () => {
      const mine = ++round;
      try {
        const answer = await fetch(form.dataset.figures, { method: "POST", credentials: "same-origin", body: new FormData(form) });
        if (!answer.ok || mine !== round || form.dataset.sent) return;
        const text = await answer.text();
        if (mine !== round || form.dataset.sent) return;
        const focused = document.activeElement && place.contains(document.activeElement) ? document.activeElement.id || document.activeElement.name : "";
        place.innerHTML = text;
        if (focused) {
          const again = document.getElementById(focused) || form.elements[focused];
          if (again && again.focus) again.focus();
        }
      } catch { /* the server works it out when the form is sent */ }
    };
    form.addEventListener("input", (event) => {
      if (!event.target.dataset.amount) return;
      clearTimeout(timer);
      timer = setTimeout(refigure, 300);
    });
    form.addEventListener("change", (event) => { if (event.target.dataset.refigure) refigure(); });
  });

  /* Lists: select all, and what the selection comes to. */
  each("[data-select]", (form) => {
    const boxes = [...form.querySelectorAll("input[name=invoice]")];
    const all = form.querySelector("[data-select-all]");
    const out = form.querySelector("[data-selected-sum]");
    const button = form.querySelector("[data-selected-action]");
    const update = () => {
      const chosen = boxes.filter((box) => box.checked);
      const currencies = new Set(chosen.map((box) => box.dataset.currency));
      if (all) {
        all.checked = boxes.length > 0 && chosen.length === boxes.length;
        all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
      }
      const units = chosen.reduce((sum, box) => sum + BigInt(box.dataset.units), 0n);
      const one = currencies.size === 1 ? chosen[0] : null;
      if (out) out.textContent = one ? money(units, one.dataset.currency, Number(one.dataset.digits)) : "";
      if (button) {
        button.disabled = !one;
        button.closest(".selection").classList.toggle("chosen", chosen.length > 0);
      }
    };
    if (all) all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); update(); });
    form.addEventListener("change", update);
    update();
  });

  /* Account numbers and references: into the clipboard, and say so. */
  each("[data-copy]", (button) => {
    const word = button.querySelector("[data-word]");
    const before = word.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      word.textContent = button.dataset.done;
      setTimeout(() => { word.textContent = before; }, 2500);
    });
  });

  /* Result page: ask quietly until there is news. */
  const watched = document.querySelector("[data-watch]");
  if (watched) {
    const { watch, state } = watched.dataset;
    let wait = 1000;
    const ask = async () => {
      try {
        const answer = await fetch(watch, { credentials: "same-origin", headers: { accept: "application/json" } });
        if (answer.ok && (await answer.json()).state !== state) {
          location.reload();
          return;
        }
      } catch { /* the next round may succeed */ }
      wait = Math.min(wait * 1.3, 10000);
      setTimeout(ask, wait);
    };
    setTimeout(ask, wait);
  }
})();
