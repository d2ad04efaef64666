// What a page needs before (and without) the wasm: theme, zone, dialogs, copying, filters that submit themselves.
// Loaded in the head, so that the first paint has the right theme. All by delegation: views come and go.
(() => {
  "use strict";
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const KEY = "theme";
  // What the account had when this browser chose otherwise: the choice goes over it until the account's is another.
  const OVER = "theme-over";
  // "light", "dark" or "" for the system's; undefined while nobody is signed in.
  const account = root.dataset.accountTheme;

  const forget = () => { try { localStorage.removeItem(KEY); localStorage.removeItem(OVER); } catch { /* private window */ } };
  const stored = () => {
    try {
      const choice = localStorage.getItem(KEY);
      if (choice === null || account === undefined) return choice;
      const over = localStorage.getItem(OVER);
      if (over === null) localStorage.setItem(OVER, account);
      if (over === null || over === account) return choice;
      forget();
    } catch { /* private window */ }
    return null;
  };
  const apply = (theme) => { if (theme === "light" || theme === "dark") root.dataset.theme = theme; else delete root.dataset.theme; };
  apply(stored() ?? account);

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax`;

  // The other theme; when that is the account's choice, or the system's, nothing is stored and it leads again.
  const switchTheme = () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches;
    const next = dark ? "light" : "dark";
    const follow = next === (account || (prefersDark.matches ? "dark" : "light"));
    forget();
    try {
      if (!follow) localStorage.setItem(KEY, next);
      if (!follow && account !== undefined) localStorage.setItem(OVER, account);
    } catch { /* private window */ }
    apply(follow ? account : next);
  };
  addEventListener("storage", (event) => { if (event.key === KEY) apply(event.newValue ?? account); });
  // Saving the account's theme takes back what this browser chose.
  document.addEventListener("submit", (event) => {
    if (event.target instanceof HTMLFormElement && event.target.matches("[data-saves-theme]")) forget();
  });

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const text = "value" in source ? source.value : source.textContent;
    try { await navigator.clipboard.writeText(text); } catch { return; }
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, 1500);
  };

  // Where the browser knows `command`, it opens and closes dialogs after this by itself, and complains of one that is
  // open already.
  const commands = "commandForElement" in HTMLButtonElement.prototype;
  const byItself = (button) => commands && button.hasAttribute("commandfor");

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target instanceof Element ? event.target.closest(selector) : null;
    if (on("[data-theme-switch]")) switchTheme();
    const opener = on("[data-dialog-open]");
    if (opener) {
      on("[popover]")?.hidePopover();
      const dialog = document.getElementById(opener.dataset.dialogOpen);
      if (dialog && !dialog.open && !byItself(opener)) dialog.showModal?.();
    }
    const closer = on("[data-dialog-close]");
    if (closer && !byItself(closer)) on("dialog")?.close();
    const copier = on("[data-copy]");
    if (copier) copy(copier);
    // Going somewhere closes the menu one goes from. Until the wasm has taken over, the browser follows links: the
    // router listens already, at the window, and would lead to pages that it can't show yet.
    const link = on("a[href]");
    if (link && !("hydrated" in root.dataset)) event.stopPropagation();
    if (link) link.closest("[popover]:popover-open")?.hidePopover();
  });

  document.addEventListener("change", (event) => {
    if (event.target instanceof HTMLSelectElement) event.target.form?.matches("[data-submit-on-change]") && event.target.form.requestSubmit();
  });

  // A day is typed part by part, and each part is a change: it counts when the input is left. (What it was when it was
  // entered tells: the attribute `value` stays what the page came with.)
  const isDay = (input) => input instanceof HTMLInputElement && input.type === "date" && input.form?.matches("[data-submit-on-change]");
  let entered = "";
  document.addEventListener("focusin", (event) => { if (isDay(event.target)) entered = event.target.value; });
  document.addEventListener("focusout", (event) => { if (isDay(event.target) && event.target.value !== entered) event.target.form.requestSubmit(); });

  // Filters that are not set stay out of the address.
  document.addEventListener("formdata", (event) => {
    if (!(event.target instanceof HTMLFormElement) || !event.target.matches("[data-drop-empty]")) return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });

  // Where the style sheet cannot place a menu beside its button, place it from here.
  if (!CSS.supports("position-area", "bottom")) {
    let button = null;
    document.addEventListener("click", (event) => { button = event.target instanceof Element ? event.target.closest("[popovertarget]") : null; }, true);
    document.addEventListener("toggle", (event) => {
      const menu = event.target;
      if (event.newState !== "open" || !button || !(menu instanceof HTMLElement) || !menu.matches(".menu")) return;
      const at = button.getBoundingClientRect();
      const top = at.bottom + menu.offsetHeight > innerHeight ? at.top - menu.offsetHeight - 4 : at.bottom + 4;
      Object.assign(menu.style, { inset: "auto", margin: "0", top: `${Math.max(4, top)}px`, left: `${Math.max(4, Math.min(at.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 4))}px` });
    }, true);
  }
})();
