// What the pages do beyond showing: stay up to date, tell local time, carry out buttons.
//
// The server renders everything, so text is escaped in one place, by the templates. To stay up to
// date a page asks for itself again, at once when an event arrives and every few seconds, and
// replaces what has changed. Nothing is ever built out of data here.

/** Between two looks when nothing happens: prices and ages go on. */
const EVERY_MS = 2000;
/** After an event, so that its companions come along. */
const AFTER_EVENT_MS = 60;
/** Between two looks, however much happens. */
const LEAST_GAP_MS = 250;
/** How much longer than a look took nothing is asked, so that no page is a burden. */
const REST_FACTOR = 9;
/** Longer than the server waits for its store. */
const PATIENCE_MS = 8000;
/** Before the event stream is tried again when the server had none to give. */
const STREAM_PAUSE_MS = 10_000;
const SPARK_POINTS = 60;

const $ = (id) => document.getElementById(id);
const csrfToken = document.querySelector("meta[name=csrf-token]")?.content ?? "";

// ---- Local time

const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const day = { day: "numeric", month: "short" };
const FORMATS = {
  clock: new Intl.DateTimeFormat(undefined, clock),
  dayclock: new Intl.DateTimeFormat(undefined, { ...day, ...clock }),
  precise: new Intl.DateTimeFormat(undefined, { ...clock, fractionalSecondDigits: 3 }),
  full: new Intl.DateTimeFormat(undefined, {
    year: "numeric", ...day, ...clock, fractionalSecondDigits: 3, timeZoneName: "short",
  }),
};

function localize(root) {
  const today = new Date().toDateString();
  for (const element of root.querySelectorAll("time[data-show]")) {
    const when = new Date(element.dateTime);
    let show = element.dataset.show;
    if (show === "clock" && when.toDateString() !== today) show = "dayclock";
    element.title = `${FORMATS.full.format(when)} (${element.dateTime})`;
    element.textContent = FORMATS[show].format(when);
  }
}

// ---- Replacing what has changed

/** Element → the HTML that the server sent for it, before local time was filled in. */
const sent = new WeakMap();

function adopt(root) {
  for (const element of [root, ...root.querySelectorAll("[data-live], [data-rows] > *")]) {
    sent.set(element, element.outerHTML);
  }
  localize(root);
}

function isBeingRead(element) {
  const selection = getSelection();
  return !selection.isCollapsed && element.contains(selection.anchorNode);
}

function replace(before, after) {
  // What had the focus has it again, if it is still there.
  const path = before.contains(document.activeElement) ? document.activeElement.id : null;
  adopt(after);
  before.replaceWith(after);
  if (path) $(path)?.focus({ preventScroll: true });
}

function patchRows(before, after) {
  const known = new Map([...before.children].map((row) => [row.id, row]));
  let place = before.firstElementChild;
  for (const fresh of [...after.children]) {
    const old = known.get(fresh.id);
    known.delete(fresh.id);
    if (old && sent.get(old) === fresh.outerHTML) {
      if (old === place) place = old.nextElementSibling;
      else before.insertBefore(old, place);
    } else if (old) {
      if (old === place) place = old.nextElementSibling;
      replace(old, fresh);
      if (fresh.nextElementSibling !== place) before.insertBefore(fresh, place);
    } else {
      adopt(fresh);
      fresh.classList.add("arrived");
      before.insertBefore(fresh, place);
    }
  }
  for (const gone of known.values()) gone.remove();
}

function patch(before, after) {
  if (sent.get(before) === after.outerHTML || isBeingRead(before)) return;
  // What keeps its shape is replaced by its parts.
  if (before.dataset.shape && before.dataset.shape === after.dataset.shape) return;
  if ("rows" in before.dataset && "rows" in after.dataset) {
    const html = after.outerHTML;
    patchRows(before, after);
    sent.set(before, html);
  } else {
    replace(before, after);
  }
}

function show(fresh) {
  document.title = fresh.title;
  for (const element of document.querySelectorAll("[data-live]")) {
    const after = fresh.getElementById(element.id);
    if (after && element.isConnected) patch(element, after);
  }
  for (const element of document.querySelectorAll("[data-live-hidden]")) {
    const after = fresh.getElementById(element.id);
    if (after) element.hidden = after.hidden;
  }
  drawSparks();
}

// ---- Staying up to date

let planned = null;
let isAsking = false;
let notBefore = 0;

function tell(tone, text) {
  const link = $("link");
  if (!link || link.textContent === text) return;
  link.dataset.tone = tone;
  link.textContent = text;
}

function look(inMs) {
  const now = performance.now();
  const at = Math.max(now + inMs, notBefore);
  if (planned && planned.at <= at) return;
  clearTimeout(planned?.timer);
  planned = { at, timer: setTimeout(ask, at - now) };
}

async function ask() {
  planned = null;
  if (document.hidden) return;
  if (isAsking) {
    look(LEAST_GAP_MS);
    return;
  }
  isAsking = true;
  const begun = performance.now();
  const address = location.href;
  try {
    const response = await fetch(address, {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const isSame = fresh.body.dataset.page === document.body.dataset.page;
    // Another page than this one: signed out, gone, in trouble, or well again.
    if (!isSame && response.status !== 503) location.reload();
    else if (!response.ok) tell("bad", `Trouble (${response.status}), trying again`);
    else if (address === location.href) {
      show(fresh);
      const isOpen = stream?.readyState === EventSource.OPEN;
      tell(isOpen ? "good" : "quiet", isOpen ? "Live" : "Every 2 s");
    }
  } catch {
    tell("bad", "No connection, trying again");
  } finally {
    isAsking = false;
    const now = performance.now();
    notBefore = now + Math.max(LEAST_GAP_MS, REST_FACTOR * (now - begun));
    look(EVERY_MS);
  }
}

let stream = null;
let streamTimer = null;

function listen() {
  clearTimeout(streamTimer);
  stream?.close();
  stream = new EventSource("/api/events");
  for (const name of document.body.dataset.events.split(" ")) {
    stream.addEventListener(name, () => look(AFTER_EVENT_MS));
  }
  stream.addEventListener("open", () => look(0));
  stream.addEventListener("error", () => {
    // It comes again by itself unless the server refused; the page still looks every few seconds.
    if (stream.readyState === EventSource.CLOSED) streamTimer = setTimeout(listen, STREAM_PAUSE_MS);
  });
}

function hush() {
  clearTimeout(streamTimer);
  stream?.close(); // a stream holds a place of the server, and nobody looks at a hidden page
  tell("quiet", "Paused");
}

// ---- Prices as little lines

const seen = new Map();

function drawSparks() {
  for (const line of document.querySelectorAll("[data-spark]")) {
    const prices = seen.get(line.dataset.spark) ?? [];
    prices.push(Number(line.dataset.price));
    seen.set(line.dataset.spark, prices.slice(-SPARK_POINTS));
    const least = Math.min(...prices);
    const range = Math.max(...prices) - least || 1;
    const points = prices.map((price, index) => {
      const x = (72 * index) / Math.max(1, prices.length - 1);
      return `${x.toFixed(1)},${(19 - (18 * (price - least)) / range).toFixed(1)}`;
    });
    line.setAttribute("points", prices.length > 1 ? points.join(" ") : "");
  }
}

// ---- Buttons

let noticeTimer = null;

function notice(text) {
  clearTimeout(noticeTimer);
  $("notice").textContent = text;
  noticeTimer = setTimeout(() => ($("notice").textContent = ""), 6000);
}

/** Asks whether to go on; where `typed` is given, only who types it may. */
function agreed({ question, typed, yes }) {
  const dialog = $("ask");
  const word = dialog.querySelector("input");
  const go = dialog.querySelector("button[value=yes]");
  $("ask-text").textContent = question;
  $("ask-typed").hidden = !typed;
  $("ask-word").textContent = typed ?? "";
  go.textContent = yes;
  word.value = "";
  const check = () => (go.disabled = Boolean(typed) && word.value.trim() !== typed);
  word.oninput = check;
  check();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue === "yes");
  });
}

async function send(method, url, body) {
  const response = await fetch(url, {
    method,
    headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken },
    body: body ?? "{}",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Error(answer.error?.message ?? `the server answered ${response.status}`);
}

/**
 * Does what a button says, or the form that it belongs to; without `done` the answer says what came
 * of it.
 */
async function carryOut(button, told = button.dataset, content = told.body) {
  const { question, typed, yes = "Go on", method, url, done } = told;
  if (question && !(await agreed({ question, typed, yes }))) return;
  button.disabled = true;
  try {
    const answer = await send(method, url, content);
    notice(done ?? answer.message ?? "Done.");
  } catch (error) {
    notice(`That did not work: ${error.message}.`);
  } finally {
    button.disabled = false;
    look(0);
  }
}

async function copy(button) {
  const source = $(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent);
    notice("Copied.");
  } catch {
    getSelection().selectAllChildren(source); // without TLS there is no clipboard
    notice("Selected; copy it with the keyboard.");
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.url) carryOut(button);
  else if (button.dataset.copy) copy(button);
  else if ("close" in button.dataset) button.closest("dialog").close();
  else if ("signOut" in button.dataset) {
    send("DELETE", "/login").then(() => location.assign("/"), () => location.reload());
  }
});

// ---- Forms

const signIn = $("sign-in");
signIn?.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await send("POST", "/login", JSON.stringify({ token: signIn.elements.token.value.trim() }));
    location.reload();
  } catch (error) {
    $("sign-in-wrong").textContent = `That did not work: ${error.message}.`;
    signIn.elements.token.select();
  }
});

/** The address that a form leads to, without what was left empty. */
function address(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(fields).toString();
  // Not form.action: a field of that name would hide it.
  return form.getAttribute("action") + (query && `?${query}`);
}

/** The fields of a form as JSON, without what was left empty. */
function fieldsOf(form) {
  return JSON.stringify(Object.fromEntries([...new FormData(form)].filter(([, value]) => value)));
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-send]")) return;
  event.preventDefault();
  carryOut(event.submitter, event.target.dataset, fieldsOf(event.target));
});

for (const form of document.querySelectorAll("form[data-filter]")) {
  form.addEventListener("change", () => location.assign(address(form)));
}

for (const form of document.querySelectorAll("form[data-build]")) {
  form.addEventListener("input", () => {
    history.replaceState(null, "", address(form));
    look(AFTER_EVENT_MS);
  });
  form.addEventListener("change", (event) => {
    // Another connector may trade another market, which has other actions.
    if (event.target.name === "connector") location.assign(`${address(form)}#builder`);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
}

// ---- Begin

adopt(document.body);
drawSparks();

if (document.body.dataset.events) {
  listen();
  look(EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hush();
    else listen();
  });
  addEventListener("pagehide", hush);
  addEventListener("pageshow", (event) => event.persisted && listen());
}
