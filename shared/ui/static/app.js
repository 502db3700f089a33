// What pages do beyond links and forms: clocks that count on, keys, live parts, the signature. All of it works without.
(() => {
  "use strict";
  const $$ = (what, where = document) => [...where.querySelectorAll(what)];
  const typing = (event) => event.isComposing || event.ctrlKey || event.metaKey || event.altKey ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || event.target.isContentEditable;

  // clocks: the server said how many seconds are left, and when it said so
  const read = new WeakMap();
  const two = (n) => String(n).padStart(2, "0");
  function count() {
    for (const clock of $$("[data-left]")) {
      if (!read.has(clock)) read.set(clock, performance.now());
      const left = Math.round(Number(clock.dataset.left) - (performance.now() - read.get(clock)) / 1000);
      const of = Number(clock.dataset.of), all = Math.abs(left), soon = left < of * 0.25;
      const state = left < 0 ? "over" : soon ? "soon" : "plenty";
      const hours = Math.floor(all / 3600);
      clock.querySelector("strong").textContent = (left < 0 ? "−" : "") +
        (hours ? hours + ":" + two(Math.floor(all / 60) % 60) : two(Math.floor(all / 60))) + ":" + two(all % 60);
      clock.querySelector("span").textContent = clock.dataset.words.split("|")[{ plenty: 0, soon: 1, over: 2 }[state]];
      clock.querySelector("progress").value = Math.max(0, Math.min(left, of));
      for (const marked of [clock, clock.closest("li")]) {
        if (marked) { marked.classList.remove("plenty", "soon", "over"); marked.classList.add(state); }
      }
    }
  }
  count();
  setInterval(count, 1000);

  // keys
  const off = () => localStorage.getItem("keys-off") === "yes";
  let marked = null, going = false;
  const rows = () => $$("[data-rows] tbody tr, .queue > li, .cards > a");
  function mark(step) {
    const all = rows();
    if (!all.length) return;
    const at = Math.max(0, Math.min(all.length - 1, all.indexOf(marked) + step));
    all.forEach((row) => row.classList.remove("marked"));
    marked = all[marked && all.includes(marked) ? at : 0];
    marked.classList.add("marked");
    marked.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { document.activeElement?.blur(); return; }
    if (typing(event) || !("keys" in document.body.dataset) || document.querySelector("dialog[open]")) return;
    if (going && /^[1-9]$/.test(event.key)) { $$(".side a")[event.key - 1]?.click(); going = false; return; }
    going = false;
    const key = event.key.toLowerCase();
    if (off() && key !== "?") return;
    const hit = { "/": () => $$("[data-search]")[0]?.focus(), n: () => { const first = $$("[data-new-form] input:not([type=hidden])")[0]; if (first) first.focus(); else $$("a[data-key=n]")[0]?.click(); },
      j: () => mark(1), k: () => mark(-1), g: () => { going = true; }, "?": () => document.getElementById("keys").showModal(),
      enter: () => (marked?.matches("a") ? marked : marked?.querySelector("[data-open], a"))?.click() }[key];
    if (key === "enter" && (!marked || event.target.closest("a, button, summary"))) return;  // it presses what has the focus
    if (hit) { event.preventDefault(); hit(); return; }
    const button = (marked || document).querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (button) { event.preventDefault(); button.click(); }
  });
  const box = document.getElementById("keys-off");
  if (box) { box.checked = off(); box.addEventListener("change", () => localStorage.setItem("keys-off", box.checked ? "yes" : "no")); }
  $$("[data-show]").forEach((opener) => opener.addEventListener("click", () => document.getElementById(opener.dataset.show).showModal()));

  // what is wrong with a form takes the focus; a form is sent once
  $$("[data-focus]")[0]?.focus();
  if ($$("[data-focus]").length) document.title = "! " + document.title;
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (event.defaultPrevented || !button || event.target.method === "dialog") return;
    if (button.hasAttribute("aria-busy")) { event.preventDefault(); return; }
    button.setAttribute("aria-busy", "true");
    setTimeout(() => button.removeAttribute("aria-busy"), 4000);
  });
  // what is known already comes into a form: a home somebody picks, the price of an item, the sum of its lines
  document.addEventListener("click", (event) => {
    const known = event.target.closest("[data-fill]");
    const form = known && (known.closest("form") ?? document.querySelector("[data-new-form]"));
    for (const [name, value] of Object.entries(form ? known.dataset : {})) {
      const field = form.elements[name];
      if (field) { field.value = value; field.dispatchEvent(new Event("change", { bubbles: true })); }
    }
  });
  function sum(event) {
    const line = event.target.closest("[data-line]"), lines = event.target.closest("[data-lines]");
    if (!line) return;
    const [many, each] = line.querySelectorAll("input");
    if (event.target.tagName === "SELECT") {
      const item = $$("option", document.getElementById(lines.dataset.lines)).find((one) => one.value === event.target.value);
      each.value = item?.textContent ?? "";
      if (item) many.value ||= "1";
    }
    const fen = $$("[data-line]", lines).map((one) => [...one.querySelectorAll("input")].reduce((all, field) => all * Number(field.value.replace(/[,，]/g, "")), 1));
    lines.querySelector("[data-total]").textContent = "¥" + (fen.reduce((all, one) => all + (one || 0), 0)).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }
  ["input", "change"].forEach((kind) => document.addEventListener(kind, sum));
  const told = $$("[name=secret]")[0];  // an invitation's secret comes behind the #, which no server sees
  if (told && location.hash.length > 1) { told.value = decodeURIComponent(location.hash.slice(1)); history.replaceState(null, "", location.pathname); }
  $$("[data-submit-on-change]").forEach((one) => one.addEventListener("change", () => one.form.requestSubmit()));

  // a session goes on while somebody works: one page renews it, all of them get its new token
  const talk = "BroadcastChannel" in window ? new BroadcastChannel("bianmin") : null;
  const renewed = (token) => { document.body.dataset.csrf = token; $$("input[name=csrf]").forEach((field) => { field.value = token; }); };
  if (talk) talk.onmessage = (event) => renewed(event.data);
  const RENEW_AFTER = 240000;
  async function renew() {
    if (!document.body.dataset.csrf || Date.now() - Number(localStorage.getItem("renewed") || opened) < RENEW_AFTER) return;
    localStorage.setItem("renewed", String(Date.now()));
    const answer = await fetch("/hr/api/sessions/renew", { method: "POST", headers: { "X-CSRF-Token": document.body.dataset.csrf } });
    if (answer.ok) { const token = (await answer.json()).csrf_token; renewed(token); talk?.postMessage(token); }
    else if (answer.status === 401) signedOut.hidden = false;
  }
  // who was signed out keeps what he wrote: signed in again in another window, he goes on here
  const signedOut = document.getElementById("signed-out");
  addEventListener("focus", async () => {
    if (!signedOut || signedOut.hidden) return;
    const answer = await fetch("/hr/api/sessions/current");
    if (!answer.ok) return;
    const session = await answer.json();
    if (session.person_id !== document.body.dataset.me) { location.reload(); return; }
    signedOut.hidden = true;
    renewed(session.csrf_token);
  });
  const opened = Date.now();
  ["keydown", "pointerdown"].forEach((kind) => addEventListener(kind, renew, { passive: true }));
  // cash counted note by note: the sum, as one writes
  $$("[data-count]").forEach((form) => form.addEventListener("input", () => {
    const fen = $$("[data-worth]", form).reduce((sum, one) => sum + one.dataset.worth * (parseInt(one.value, 10) || 0), 0);
    form.querySelector("[data-counted]").textContent = "¥" + (fen / 100).toLocaleString("en", { minimumFractionDigits: 2 });
  }));

  // live parts: the stream says only that something changed; the part is asked for again, and keeps focus and mark
  const service = document.body.dataset.live;
  const pulse = $$("[data-pulse]")[0];
  const say = (on) => { if (pulse) { pulse.classList.toggle("off", !on); pulse.textContent = on ? pulse.dataset.on : pulse.dataset.off.replace("{age}", age()); } };
  let wanted = false;
  const touched = new WeakSet();
  ["input", "change"].forEach((kind) => document.addEventListener(kind, (event) => touched.add(event.target)));
  const reachable = (where) => $$("a[href], button, summary, input:not([type=hidden]), select, textarea, [tabindex]", where);
  function replace(part, next) {
    const focus = part.contains(document.activeElement) ? document.activeElement : null, named = focus?.closest("[id]");
    const step = focus && reachable(named).indexOf(focus), place = focus && reachable(part).indexOf(focus);
    const chosen = $$("select[id], input[id], textarea[id]", part).filter((field) => touched.has(field));
    const open = $$("details[open] > summary", part).map((one) => one.textContent);
    part.replaceWith(next);
    for (const { id, value, checked } of chosen) {
      const field = document.getElementById(id);
      if (field) { field.value = value; field.checked = checked; touched.add(field); }
    }
    $$("details > summary", next).forEach((one) => { if (open.includes(one.textContent)) one.parentElement.open = true; });
    if (!focus) return;
    const home = document.getElementById(named.id), all = reachable(next);
    const back = home && (step < 0 ? home : reachable(home)[step]);
    (back ?? all[Math.min(place, all.length - 1)] ?? document.getElementById("main")).focus();
  }
  async function refresh() {
    wanted = document.hidden;
    if (wanted) return;
    const parts = $$("[data-part]");
    if (!parts.length || parts.some((part) => part.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName))) { wanted = true; return; }
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "manual" }).catch(() => null);
    if (!answer?.ok) { if (answer?.type === "opaqueredirect") location.reload(); else wanted = true; return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const at = marked ? rows().indexOf(marked) : -1, keep = marked?.id;
    for (const part of parts) {
      const next = fresh.getElementById(part.id);
      if (next && next.innerHTML !== part.innerHTML) replace(part, document.importNode(next, true));
    }
    marked = (keep && document.getElementById(keep)) || (at >= 0 ? rows()[at] : null) || null;
    marked?.classList.add("marked");
    count();
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });
  document.addEventListener("focusout", () => setTimeout(() => { if (wanted) refresh(); }, 0));
  let lost = 0;  // when: what is shown may be that old
  const age = () => { const all = Math.floor((Date.now() - lost) / 1000); return Math.floor(all / 60) + ":" + two(all % 60); };
  setInterval(() => { if (lost) say(false); }, 1000);
  function heard(what) {
    if (what === "ended") { location.reload(); return; }
    const on = what === "open" || what === "changed", again = on && lost;
    lost = on ? 0 : lost || Date.now();
    say(on);
    if (what === "changed" || what === "refused" || again) refresh();  // what changed meanwhile nobody told
  }
  if (service && "EventSource" in window) {
    if ("SharedWorker" in window) {
      const worker = new SharedWorker(document.body.dataset.worker);
      worker.port.onmessage = (event) => { if (event.data.service === service) heard(event.data.what); };
      worker.port.start();
      worker.port.postMessage({ watch: service });
      addEventListener("pagehide", () => worker.port.postMessage({ leave: service }));
      addEventListener("pageshow", (event) => { if (event.persisted) worker.port.postMessage({ watch: service }); });
    } else {
      // no worker to share: a stream of its own, closed while nobody looks
      let stream = null;
      const open = () => {
        stream = new EventSource(`/${service}/changes`);
        stream.onopen = () => heard("open");
        stream.onerror = () => {
          if (stream.readyState !== 2) { heard("lost"); return; }  // it tries again by itself, but not after a refusal
          heard("refused");
          setTimeout(() => document.hidden || open(), 5000);
        };
        ["changed", "ended"].forEach((what) => stream.addEventListener(what, () => heard(what)));
      };
      document.addEventListener("visibilitychange", () => { if (document.hidden) stream?.close(); else { open(); refresh(); } });
      open();
    }
  }

  // the signature: strokes as SVG in a hidden field
  const frame = document.getElementById("signature");
  if (frame && window.SignaturePad) {
    const canvas = frame.querySelector("canvas"), field = document.getElementById(frame.dataset.field);
    const pad = new SignaturePad(canvas, { penColor: "#16202e", minWidth: 1, maxWidth: 2.6 });
    const fit = () => {
      const ratio = Math.max(devicePixelRatio || 1, 1), data = pad.toData();
      canvas.width = canvas.offsetWidth * ratio; canvas.height = canvas.offsetHeight * ratio;
      canvas.getContext("2d").scale(ratio, ratio);
      pad.fromData(data);
    };
    fit();
    addEventListener("resize", fit);
    pad.addEventListener("endStroke", () => { frame.classList.add("done"); field.value = pad.toSVG(); });
    document.getElementById("sign-again")?.addEventListener("click", () => { pad.clear(); frame.classList.remove("done"); field.value = ""; });
  }
})();
