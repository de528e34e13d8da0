/* Conveniences of the staff's pages: every page works without this file. */
(() => {
  "use strict";
  const lang = document.documentElement.lang;
  const each = (root, selector, run) => root.querySelectorAll(selector).forEach(run);

  /* How the reader's language writes numbers in these digits. */
  const signs = Object.fromEntries(new Intl.NumberFormat(lang, { numberingSystem: "latn", useGrouping: true })
    .formatToParts(12345.6).map((part) => [part.type, part.value]));
  /* A number as typed as a whole number of 10^-digits; null for what is none. The server has the last word. */
  const scaled = (typed, digits) => {
    const groups = signs.group === "." || signs.group === "," ? signs.group : " ";
    const one = typed.trim().replace(/[\s'’]/g, " ");
    const grouped = new RegExp(`^[1-9]\\d{0,2}([${groups}]\\d{3})+(?![^.,])`).test(one);
    const text = grouped ? one.replaceAll(groups, "") : one;
    const match = /^(\d{1,13})(?:[.,](\d*))?$/.exec(text);
    const fraction = match ? match[2] || "" : "";
    if (!match || fraction.length > digits) return null;
    return BigInt(match[1] + fraction.padEnd(digits, "0"));
  };
  const plain = (units, digits) => {
    const text = units.toString().padStart(digits + 1, "0");
    return digits ? `${text.slice(0, -digits)}.${text.slice(-digits)}` : text;
  };
  const entry = (units, digits) => plain(units, digits).replace(".", signs.decimal);
  const money = (units, currency, digits) => new Intl.NumberFormat(lang, {
    style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(plain(units, digits));

  /* Invoice form: amounts follow what is typed; lines come and go without a round trip. */
  each(document, "[data-lines]", (form) => {
    const { currency } = form.dataset;
    const digits = Number(form.dataset.digits);
    const list = form.querySelector("[data-line-list]");
    const field = (line, name) => line.querySelector(`[name=${name}]`);
    const chosen = (line) => field(line, "item_id").selectedOptions[0];

    const amountOf = (line) => {
      const typed = field(line, "unit_price").value || chosen(line).dataset.price || "";
      const price = scaled(typed, digits);
      const quantity = scaled(field(line, "quantity").value || "1", 4);
      if (price === null || quantity === null) return null;
      const full = (price * quantity + 5000n) / 10000n;
      return full - percentOf(full, field(line, "discount_percent").value);
    };
    /* Rounded half up, as the service does. */
    const percentOf = (amount, text) => (amount * (scaled(text || "0", 4) ?? 0n) + 500000n) / 1000000n;
    /* The discount on all of it, shared among rates by the largest remainder. */
    const sharesOf = (discount, amounts) => {
      const total = amounts.reduce((sum, amount) => sum + amount, 0n);
      if (!total) return amounts.map(() => 0n);
      const shares = amounts.map((amount) => discount * amount / total);
      const order = amounts.map((amount, at) => at).sort((a, b) => Number((discount * amounts[b]) % total - (discount * amounts[a]) % total));
      let left = discount - shares.reduce((sum, share) => sum + share, 0n);
      for (const at of order) { if (left <= 0n) break; shares[at] += 1n; left -= 1n; }
      return shares;
    };
    const update = () => {
      let subtotal = 0n;
      const byRate = new Map();
      each(list, "[data-line]", (line) => {
        const amount = amountOf(line);
        line.querySelector("[data-line-amount]").textContent = amount === null ? "–" : money(amount, currency, digits);
        if (amount === null) return;
        const rate = scaled(field(line, "tax_rate_percent").value || chosen(line).dataset.tax || "0", 4) ?? 0n;
        subtotal += amount;
        byRate.set(rate, (byRate.get(rate) ?? 0n) + amount);
      });
      const includesTax = form.querySelector("[name=prices_include_tax]").checked;
      const rates = [...byRate.keys()].sort((a, b) => (a < b ? -1 : 1));
      const amounts = rates.map((rate) => byRate.get(rate));
      const shares = sharesOf(percentOf(subtotal, form.querySelector("[name=whole_discount]").value), amounts);
      let tax = 0n;
      subtotal = 0n;
      rates.forEach((rate, at) => {
        const base = amounts[at] - shares[at];
        const taxable = includesTax ? (base * 1000000n * 2n / (1000000n + rate) + 1n) / 2n : base;
        subtotal += taxable;
        tax += includesTax ? base - taxable : (base * rate + 500000n) / 1000000n;
      });
      form.querySelector("[data-subtotal]").textContent = money(subtotal, currency, digits);
      form.querySelector("[data-tax]:not(option)").textContent = money(tax, currency, digits);
      form.querySelector("[data-grand]").textContent = money(subtotal + tax, currency, digits);
    };
    const number = () => {
      list.querySelectorAll("[data-line]").forEach((line, place) => {
        each(line, "[id], label, [aria-describedby]", (part) => {
          for (const name of ["id", "htmlFor"]) if (part[name]) part[name] = part[name].replace(/-\d+(?=$|-)/, `-${place}`);
        });
        const text = (element) => { element.textContent = element.textContent.replace(/\d+/, place + 1); };
        text(line.querySelector("legend"));
        text(line.querySelector(".line-remove-word"));
        line.querySelector("[data-remove]").value = `remove:${place}`;
      });
      update();
    };
    form.addEventListener("input", update);
    form.addEventListener("change", (event) => {
      const option = event.target.matches("[data-item]") ? event.target.selectedOptions[0] : null;
      if (!option || !option.value) return;
      const line = event.target.closest("[data-line]");
      field(line, "description").value = option.dataset.name;
      field(line, "unit_price").value = option.dataset.price || "";
      field(line, "tax_rate_percent").value = option.dataset.code ? "" : option.dataset.tax;
      update();
    });
    form.addEventListener("click", (event) => {
      const add = event.target.closest("[data-add]");
      const remove = event.target.closest("[data-remove]");
      if (!add && !remove) return;
      event.preventDefault();
      const lines = list.querySelectorAll("[data-line]");
      const last = lines[lines.length - 1];
      if (add || lines.length === 1) {
        const fresh = last.cloneNode(true);
        each(fresh, "input", (input) => { input.value = input.name === "quantity" ? "1" : ""; });
        each(fresh, ".error", (error) => error.remove());
        each(fresh, "[aria-invalid]", (input) => input.removeAttribute("aria-invalid"));
        fresh.querySelector("select").selectedIndex = 0;
        last.after(fresh);
        if (remove) last.remove();
        number();
        field(fresh, "item_id").focus();
        return;
      }
      const line = remove.closest("[data-line]");
      const neighbour = line.nextElementSibling || line.previousElementSibling;
      line.remove();
      number();
      neighbour.querySelector("[data-remove]").focus();
    });
    update();
  });

  /* Recording a payment: the sum fills the oldest invoices until somebody types into one. */
  each(document, "[data-spread]", (form) => {
    const { currency } = form.dataset;
    const digits = Number(form.dataset.digits);
    const received = form.querySelector("[data-received]");
    const parts = [...form.querySelectorAll("[data-part]")];
    const rest = form.querySelector("[data-rest]");
    let touched = false;
    const spread = () => {
      let left = scaled(received.value, digits);
      if (left === null) return;
      [...parts].sort((a, b) => ("first" in b.dataset) - ("first" in a.dataset)).forEach((part) => {
        const open = BigInt(part.dataset.open);
        const share = left < open ? left : open;
        part.value = share ? entry(share, digits) : "";
        left -= share;
      });
    };
    const say = () => {
      const sum = scaled(received.value || "0", digits);
      const shares = parts.map((part) => scaled(part.value || "0", digits));
      if (!sum || shares.includes(null)) {
        rest.textContent = "";
        return;
      }
      const left = sum - shares.reduce((all, share) => all + share, 0n);
      const words = left === 0n ? rest.dataset.none : left > 0n ? rest.dataset.left : rest.dataset.over;
      rest.textContent = words.replace("{amount}", money(left < 0n ? -left : left, currency, digits));
      rest.classList.toggle("bad", left < 0n);
    };
    form.addEventListener("input", (event) => {
      if (event.target.matches("[data-part]")) touched = true;
      if (event.target === received && !touched) spread();
      say();
    });
    form.addEventListener("click", (event) => {
      if (!event.target.closest("[data-spread-now]")) return;
      event.preventDefault();
      touched = false;
      spread();
      say();
    });
    say();
  });

  /* Copying an address. */
  each(document, "[data-copy]", (button) => {
    button.addEventListener("click", async () => {
      const input = document.getElementById(button.dataset.copy);
      input.select();
      await navigator.clipboard.writeText(input.value);
      button.querySelector("span").textContent = button.dataset.copied;
    });
  });

  /* Import: the bar follows; the page is loaded again when it is done. */
  each(document, "[data-progress]", (card) => {
    const ask = async () => {
      try {
        const answer = await fetch(card.dataset.progress, { credentials: "same-origin" });
        if (answer.ok) {
          const found = await answer.json();
          if (found.state === "done" || found.state === "undone") {
            location.reload();
            return;
          }
          card.querySelector("progress").value = found.handled_rows;
          card.querySelector("[data-progress-handled]").textContent = found.handled_rows;
        }
      } catch { /* the next round may succeed */ }
      setTimeout(ask, 700);
    };
    setTimeout(ask, 400);
  });

  /* Today's figures: fetched again every half minute while somebody looks, unless they are using the page. */
  each(document, "[data-fresh]", (region) => {
    const renew = async () => {
      const busy = document.hidden || region.contains(document.activeElement) || region.querySelector("details[open]");
      if (busy) return;
      try {
        const answer = await fetch(location.href, { credentials: "same-origin" });
        if (!answer.ok || answer.redirected) return;
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const place of ["[data-fresh]", "[data-stamp]"]) {
          const fresh = page.querySelector(place);
          if (fresh) document.querySelector(place).replaceChildren(...fresh.childNodes);
        }
      } catch { /* the stamp still says how old the figures are */ }
    };
    setInterval(renew, 30000);
  });
})();
