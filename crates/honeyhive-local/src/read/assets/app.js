// The module serves all pages, and is written by hand: it has the stream of changes, the keys, and the tree of a session.
// Everything that is shown came from outside, so text is set as text and never as HTML.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Makes an element with attributes (`class`, `title`, handlers as `onclick`), and children that are nodes or text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(9).filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

// ---- Numbers and times in words; `read/format.rs` says the same on the server.

const count = (number) => Number(number).toLocaleString('en-US');

function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${seconds % 60} s`;
}

function cost(dollars) {
  if (dollars >= 0.1) return `$${dollars.toFixed(2)}`;
  return dollars >= 0.0001 ? `$${dollars.toFixed(4)}` : `$${dollars.toFixed(6)}`;
}

/** Shows the reader's own time instead of UTC. */
function localTimes(root = document) {
  const today = new Date().toDateString();
  for (const time of $$('time[datetime]', root)) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue; // beyond the dates that a browser knows
    const clock = at.toLocaleTimeString('en-GB');
    const day = at.toDateString() === today ? '' : `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} `;
    time.textContent = day + clock;
  }
}

// ---- Asking the server

async function asked(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return response;
}

const json = async (path) => (await asked(path)).json();
const page = async (path) => new DOMParser().parseFromString(await (await asked(path)).text(), 'text/html');

/** Runs `work` soon, once for many calls, and never twice at a time; slow work runs less often. */
function soon(work, gap) {
  let timer, running = false, again = false;
  const run = async () => {
    timer = undefined;
    running = true;
    const began = performance.now();
    try { await work(); } catch { again ||= !document.hidden; }
    running = false;
    const rest = Math.max(gap, 5 * (performance.now() - began));
    if (again) { again = false; timer = setTimeout(run, rest); }
  };
  return () => {
    if (running) again = true;
    else timer ??= setTimeout(run, gap);
  };
}

// ---- What arrives by itself: one stream, closed while nobody looks or while paused

const live = {
  last: Number(document.body.dataset.since), paused: false, listeners: [],
  on(listener) { this.listeners.push(listener); },
  open() {
    if (this.source || this.paused || document.hidden) return;
    this.source = new EventSource(`/api/stream?since=${this.last}`);
    this.source.onopen = () => this.say('live');
    this.source.onerror = () => this.say('away');
    this.source.onmessage = ({ data, lastEventId }) => {
      this.last = Number(lastEventId);
      const { changes, missed } = JSON.parse(data);
      for (const listener of this.listeners) listener(changes, missed);
    };
  },
  close() { this.source?.close(); this.source = undefined; },
  toggle() {
    this.paused = !this.paused;
    if (this.paused) { this.close(); this.say('paused'); } else {
      this.open();
      for (const listener of this.listeners) listener([], false, true);
    }
    const button = $('#pause');
    if (button) button.textContent = this.paused ? 'Go on' : 'Pause';
  },
  say(state) {
    const place = $('#live');
    place.className = `live ${state}`;
    $('span', place).textContent = state === 'away' ? 'not connected' : state;
  },
};

function startLive() {
  document.addEventListener('visibilitychange', () => (document.hidden ? live.close() : live.open()));
  addEventListener('pagehide', () => live.close());
  addEventListener('pageshow', () => live.open());
  $('#pause')?.addEventListener('click', () => live.toggle());
  const badge = soon(async () => {
    const { orphans } = await json('/api/stats');
    $('#orphans').textContent = count(orphans);
    $('#orphans').hidden = orphans === 0;
  }, 1000);
  live.on((changes, missed) => {
    if (missed || changes.some(({ kind }) => kind === 'orphan' || kind === 'cleared')) badge();
  });
  live.open();
}

// ---- Copying

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el('textarea', { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  toast('Copied');
}

function toast(words) {
  $('#toast')?.remove();
  const shown = el('div', { id: 'toast', role: 'status' }, words);
  document.body.append(shown);
  setTimeout(() => shown.remove(), 1600);
}

// ---- Lists: rows to go through, and new ones that wait until they are asked for

function startList() {
  const rows = () => $$('table.list tbody tr');
  const open = (row) => { const link = $('a[href]', row ?? document.createElement('tr')); if (link) location.assign(link.href); };
  document.addEventListener('click', (event) => {
    const row = event.target.closest('table.list tr[data-id]');
    if (row && !event.target.closest('a, button') && String(getSelection()) === '') open(row);
  });
  const step = (by) => {
    const all = rows();
    const at = all.findIndex((row) => row.classList.contains('on'));
    const next = all[Math.min(all.length - 1, Math.max(0, at + by))];
    all[at]?.classList.remove('on');
    next?.classList.add('on');
    next?.scrollIntoView({ block: 'nearest' });
  };
  const current = () => $('table.list tr.on');
  return {
    j: () => step(1), k: () => step(-1), l: () => open(current()), Enter: () => open(current()), h: () => history.back(),
    e: () => {
      const all = rows();
      const at = all.findIndex((row) => row.classList.contains('on'));
      const found = all.findIndex((row, index) => index > at && $('.pill.bad, div.bad', row));
      if (found >= 0) step(found - at);
    },
    '/': () => $('input[type="search"]')?.focus(),
  };
}

function startSessions() {
  const main = $('#sessions');
  const button = $('#new');
  const query = new URLSearchParams(location.search);
  const first = main.dataset.first === 'true';
  const most = 200;
  let newest = Number(main.dataset.newest ?? 0);
  let waiting = [];

  const place = (rows) => {
    const table = $('table.list');
    $('tbody', table).prepend(...rows);
    table.hidden = false;
    $('.empty', main)?.remove();
    localTimes(table);
    newest = Math.max(newest, ...rows.map((row) => Number(row.dataset.seq)));
    // Lines that were read long ago leave at the other end.
    for (const row of $$('tbody tr', table).slice(1000)) row.remove();
  };
  const look = soon(async () => {
    // A request from before a pause may come due in it, and is made again after the pause.
    if (live.paused) return;
    const asking = new URLSearchParams(query);
    asking.set('after', newest);
    asking.set('limit', most);
    const rows = $$('tbody tr', await page(`/sessions?${asking}`));
    if (live.paused) return;
    waiting = rows.map((row) => document.adoptNode(row));
    if (waiting.length > 0 && $$('table.list tbody tr').length === 0) { place(waiting); waiting = []; }
    button.hidden = waiting.length === 0;
    button.textContent = `${waiting.length < most ? waiting.length : `${most} or more`} new session${waiting.length === 1 ? '' : 's'} ↑`;
  }, 200);

  const stale = new Set();
  const renew = soon(async () => {
    const ids = [...stale].slice(0, most);
    ids.forEach((id) => stale.delete(id));
    const fresh = await page(`/sessions?limit=${most}&${ids.map((id) => `id=${encodeURIComponent(id)}`).join('&')}`);
    for (const row of $$('tbody tr', fresh)) {
      const old = $$('table.list tbody tr').find(({ dataset }) => dataset.id === row.dataset.id);
      if (!old) continue;
      localTimes(row);
      if (old.innerHTML !== row.innerHTML) old.replaceChildren(...row.childNodes);
    }
    if (stale.size > 0) renew();
  }, 300);

  button.addEventListener('click', () => {
    if (waiting.length >= most) return location.reload();
    place(waiting);
    waiting = [];
    button.hidden = true;
    scrollTo({ top: 0 });
  });
  live.on((changes, missed, goesOn = false) => {
    if (changes.some(({ kind }) => kind === 'cleared')) return location.reload();
    const shown = new Set($$('table.list tbody tr').map(({ dataset }) => dataset.id));
    const about = changes.filter(({ kind }) => kind === 'session' || kind === 'event');
    for (const { id } of about) if (shown.has(id)) stale.add(id);
    if (missed) shown.forEach((id) => stale.add(id));
    if (stale.size > 0) renew();
    // An event can make a session fit a search that it did not fit before.
    if (first && (missed || goesOn || about.some(({ id }) => !shown.has(id)))) look();
  });
  if (first) look();
}

/** Other lists only count what has come. */
function startOther() {
  const main = $('main[data-live]');
  if (!main) return;
  let fresh = 0;
  const button = el('button', { class: 'new', type: 'button', hidden: true, onclick: () => location.reload() });
  main.prepend(el('div', { class: 'news' }, button));
  live.on((changes, missed) => {
    fresh += changes.filter(({ kind, new: isNew }) => kind === main.dataset.live && isNew).length;
    button.hidden = fresh === 0 && !missed;
    button.textContent = fresh > 0 ? `${count(fresh)} new ↑` : 'Show what is new ↑';
  });
}

// ---- A session: the tree

const ROW = 34;
const OVERSCAN = 12;
const DEEPEST_INDENT = 12;

function startSession() {
  const id = $('#session').dataset.id;
  const path = `/api/sessions/${encodeURIComponent(id)}`;
  const tree = $('#tree');
  const state = { session: undefined, row: undefined, rows: [], shown: [], folded: new Set(), selected: undefined, hits: undefined, from: 0, span: 1 };

  // -- Which rows there are

  /** The session itself is the first row, its events are below it. */
  function take({ session, row, rows }) {
    state.session = session;
    state.row = row;
    const top = {
      event_id: id, event_type: 'session', event_name: row.name ?? 'session', depth: 0, below: rows.length, start_time: row.start_time,
      duration: row.duration ?? 0, error: row.error, input: row.input, output: row.output,
    };
    for (const each of rows) each.depth += 1;
    state.rows = [top, ...rows];
    const ends = (each) => each.start_time + Math.max(0, each.duration);
    state.from = state.rows.reduce((from, each) => Math.min(from, each.start_time), Infinity);
    state.span = Math.max(1, state.rows.reduce((to, each) => Math.max(to, ends(each)), -Infinity) - state.from);
    const errors = rows.filter(({ error }) => error).length + (row.error ? 1 : 0);
    const next = $('#next-error');
    next.disabled = errors === 0;
    next.textContent = errors > 1 ? `Next error (${count(errors)})` : 'Next error';
    ticks();
  }

  function choose() {
    state.shown = [];
    const wanted = state.hits && withAncestors(state.hits);
    for (let index = 0; index < state.rows.length; index += 1) {
      const row = state.rows[index];
      if (wanted && !wanted.has(index)) continue;
      state.shown.push(index);
      if (!wanted && state.folded.has(row.event_id)) index += row.below;
    }
  }

  function withAncestors(hits) {
    const wanted = new Set();
    const above = [];
    state.rows.forEach((row, index) => {
      above.length = row.depth;
      above[row.depth] = index;
      if (hits.has(row.event_id)) above.forEach((each) => wanted.add(each));
    });
    return wanted;
  }

  function unfoldTo(index) {
    let depth = state.rows[index].depth;
    for (let at = index - 1; at >= 0 && depth > 0; at -= 1) {
      if (state.rows[at].depth < depth) { depth = state.rows[at].depth; state.folded.delete(state.rows[at].event_id); }
    }
  }

  // -- Drawing: only the rows in sight are in the document

  let everything = false;
  function draw() {
    tree.style.height = `${state.shown.length * ROW}px`;
    const top = tree.getBoundingClientRect().top;
    const first = everything ? 0 : Math.max(0, Math.floor(-top / ROW) - OVERSCAN);
    const last = everything ? state.shown.length : Math.min(state.shown.length, Math.ceil((innerHeight - top) / ROW) + OVERSCAN);
    const rows = [];
    for (let at = first; at < last; at += 1) rows.push(drawn(state.rows[state.shown[at]], at));
    tree.replaceChildren(...rows);
  }

  function drawn(row, at) {
    const kind = ['session', 'chain', 'model', 'tool'].includes(row.event_type) ? row.event_type : 'session';
    const folded = state.folded.has(row.event_id);
    const on = row.event_id === state.selected;
    const name = el('div', { class: 'nm' },
      row.below > 0
        ? el('button', { class: 'fold', type: 'button', tabindex: -1, 'aria-label': folded ? 'Unfold' : 'Fold' }, folded ? '▶' : '▼')
        : el('span', { class: 'fold' }),
      el('span', { class: `type ${kind}` }), el('b', {}, row.event_name));
    name.style.paddingLeft = `calc(${Math.min(row.depth, DEEPEST_INDENT)} * var(--indent))`;
    const line = el('div', {
      class: `row${on ? ' on' : ''}${row.error ? ' err' : ''}${state.hits?.has(row.event_id) ? ' hit' : ''}`,
      role: 'treeitem', 'aria-level': row.depth + 1, 'aria-selected': String(on), 'aria-posinset': at + 1,
      'aria-expanded': row.below > 0 ? String(!folded) : undefined, 'data-id': row.event_id, id: on ? 'current' : undefined,
      title: [row.event_name, row.event_type, row.model, row.error].filter(Boolean).join(' · '),
    }, name, track(row, kind), el('div', { class: 'num dim' }, row.event_type === 'session' && !row.duration ? '' : duration(row.duration)));
    line.style.top = `${at * ROW}px`;
    return line;
  }

  function track(row, kind) {
    const share = (ms) => `${(100 * ms / state.span).toFixed(3)}%`;
    const bar = (from, ms, extra) => {
      const piece = el('i', { class: `${row.error ? 'failed' : kind} ${extra}` });
      piece.style.left = share(from - state.from);
      piece.style.width = share(ms);
      return piece;
    };
    const wait = Math.min(row.first_token_ms ?? 0, row.duration);
    return el('div', { class: 'track' },
      wait > 0 && bar(row.start_time, wait, 'wait'),
      bar(row.start_time + wait, Math.max(0, row.duration - wait), ''));
  }

  /** Returns as many moments as have room beside each other. */
  function ticks() {
    const ruler = $('#ticks');
    const longest = Math.max(...[1, 2, 3, 4].map((step) => duration(state.span * step / 4).length));
    const steps = [4, 2].find((steps) => ruler.clientWidth / steps >= 9 * longest + 8) ?? 1;
    ruler.replaceChildren(...Array.from({ length: steps + 1 }, (_, step) => {
      const tick = el('span', {}, step === 0 ? '0' : duration(state.span * step / steps));
      tick.style.left = `${100 * step / steps}%`;
      return tick;
    }));
  }

  function redraw() { choose(); draw(); }

  // -- Choosing an event

  const indexOf = (eventId) => state.rows.findIndex((row) => row.event_id === eventId);

  function select(eventId, { scroll = true, keep = false } = {}) {
    const index = indexOf(eventId);
    if (index < 0) return false;
    const changed = state.selected !== eventId;
    state.selected = eventId;
    unfoldTo(index);
    redraw();
    if (scroll) reveal(index);
    if (changed && !keep) history.replaceState(null, '', eventId === id ? location.pathname + location.search : `#event=${eventId}`);
    if (changed) detail.show(state.rows[index]);
    return true;
  }

  function reveal(index) {
    const at = state.shown.indexOf(index);
    const top = tree.getBoundingClientRect().top + at * ROW;
    const scroller = $('.left');
    const inside = getComputedStyle(scroller).overflowY === 'auto';
    const low = (inside ? scroller.getBoundingClientRect().bottom : innerHeight) - 2 * ROW;
    const high = $('.ruler').getBoundingClientRect().bottom + ROW;
    const by = top < high ? top - high : top > low ? top - low : 0;
    if (by !== 0) (inside ? scroller : window).scrollBy(0, by);
    draw();
  }

  function step(by) {
    const at = state.shown.indexOf(indexOf(state.selected));
    const next = state.shown[Math.min(state.shown.length - 1, Math.max(0, at + by))];
    if (next !== undefined) select(state.rows[next].event_id);
  }

  function nextError() {
    const from = indexOf(state.selected);
    const order = state.rows.map((_, index) => (from + 1 + index) % state.rows.length);
    const found = order.find((index) => state.rows[index].error);
    if (found !== undefined) select(state.rows[found].event_id);
  }

  function fold(fold) {
    const index = indexOf(state.selected);
    const row = state.rows[index];
    if (!row) return;
    const isFolded = state.folded.has(row.event_id);
    if (!fold && row.below > 0 && isFolded) state.folded.delete(row.event_id);
    else if (!fold && row.below > 0) return step(1);
    else if (fold && row.below > 0 && !isFolded) state.folded.add(row.event_id);
    else if (fold && row.depth > 0) {
      let above = index;
      while (above > 0 && state.rows[above].depth >= row.depth) above -= 1;
      return void select(state.rows[above].event_id);
    } else if (fold) return void location.assign('/');
    redraw();
  }

  tree.addEventListener('click', (event) => {
    const line = event.target.closest('.row');
    if (!line) return;
    if (event.target.closest('button.fold')) {
      const { id: folding } = line.dataset;
      if (!state.folded.delete(folding)) state.folded.add(folding);
      return redraw();
    }
    select(line.dataset.id, { scroll: false });
    if (innerWidth <= 900) $('#detail').scrollIntoView({ behavior: 'smooth' });
  });
  const later = () => requestAnimationFrame(draw);
  document.addEventListener('scroll', later, { capture: true, passive: true });
  addEventListener('resize', () => { ticks(); later(); });
  addEventListener('beforeprint', () => { everything = state.shown.length <= 2000; draw(); });
  addEventListener('afterprint', () => { everything = false; draw(); });
  addEventListener('hashchange', () => select(fromHash() ?? id, { keep: true }));
  const fromHash = () => /^#event=(.+)$/.exec(location.hash)?.[1];

  // -- Searching

  const find = $('#find');
  async function search() {
    const words = find.value.trim();
    const url = new URL(location.href);
    if (words) url.searchParams.set('q', words); else url.searchParams.delete('q');
    history.replaceState(null, '', url);
    if (!words) { state.hits = undefined; $('#found').textContent = ''; return redraw(); }
    const low = words.toLowerCase();
    const near = (row) => [row.event_name, row.event_type, row.model, row.error, row.input, row.output, row.event_id]
      .some((text) => text?.toLowerCase().includes(low));
    const hits = new Set(state.rows.filter(near).map((row) => row.event_id));
    const { event_ids: deep } = await json(`${path}/search?q=${encodeURIComponent(words)}`);
    if (find.value.trim() !== words) return;
    deep.forEach((each) => hits.add(each));
    state.hits = hits;
    $('#found').textContent = hits.size === 0 ? 'nothing' : `${count(hits.size)} of ${count(state.rows.length)}`;
    redraw();
  }
  const searching = soon(search, 120);
  find.addEventListener('input', searching);
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !state.hits) return;
    const from = indexOf(state.selected);
    const order = state.rows.map((_, index) => (from + 1 + index) % state.rows.length);
    const next = order.find((index) => state.hits.has(state.rows[index].event_id));
    if (next !== undefined) select(state.rows[next].event_id);
  });

  // -- Loading, and what arrives meanwhile: the row that is read stays where it is

  async function load() {
    const anchor = $$('.row', tree).find((row) => row.getBoundingClientRect().top >= $('.ruler').getBoundingClientRect().bottom);
    const before = anchor?.getBoundingClientRect().top;
    take(await json(`${path}/tree`));
    choose();
    const at = anchor ? state.shown.indexOf(indexOf(anchor.dataset.id)) : -1;
    draw();
    if (at < 0) return;
    const moved = tree.getBoundingClientRect().top + at * ROW - before;
    const scroller = $('.left');
    if (moved !== 0) (getComputedStyle(scroller).overflowY === 'auto' ? scroller : window).scrollBy(0, moved);
    draw();
  }

  const renew = soon(async () => {
    await load();
    const fresh = $('#title', await page(location.pathname));
    localTimes(fresh);
    $('#title').replaceChildren(...fresh.childNodes);
    if (state.selected === id) detail.show(state.rows[0]);
  }, 400);
  live.on((changes, missed) => { if (missed || changes.some((change) => change.id === id)) renew(); });

  async function begin() {
    try {
      if (!drawFirst()) await load();
      find.value = new URLSearchParams(location.search).get('q') ?? '';
      if (!select(fromHash() ?? firstTold(), { keep: true })) select(id, { keep: true });
      if (find.value) searching();
    } catch (error) {
      tree.replaceChildren(trouble(`The events cannot be shown: ${error.message}.`, begin));
    }
  }

  /** A short session is in its page, as it was before the change that the page goes on from. */
  function drawFirst() {
    const place = $('#first');
    if (!place) return false;
    const { since, tree: whole, event } = JSON.parse(place.textContent);
    place.remove();
    live.last = since;
    take(whole);
    if (event) detail.know(event);
    redraw();
    return true;
  }

  /** People look for the model's last answer in a chat. */
  function firstTold() {
    const models = state.rows.filter(({ event_type: kind }) => kind === 'model');
    return models.length > 0 && state.rows.length < 40 ? models[0].event_id : id;
  }

  const detail = details(state, path);
  begin();
  return {
    j: () => step(1), k: () => step(-1), l: () => fold(false), h: () => fold(true), e: nextError, Enter: () => $('#panel').focus(),
    ArrowDown: () => step(1), ArrowUp: () => step(-1), ArrowRight: () => fold(false), ArrowLeft: () => fold(true),
    '/': () => find.focus(), nextError,
  };
}

const trouble = (words, again) =>
  el('div', { class: 'trouble', role: 'alert' }, words, el('button', { type: 'button', onclick: again }, 'Try again'));

// ---- A session: the chosen event

function details(state, path) {
  const panel = $('#panel');
  const whole = new Map();
  let tab;
  let current;

  async function read(row) {
    if (row.event_type === 'session') return state.session;
    if (!whole.has(row.event_id)) {
      if (whole.size > 200) whole.clear();
      whole.set(row.event_id, (await json(`/api/events/${encodeURIComponent(row.event_id)}`)).event);
    }
    return whole.get(row.event_id);
  }

  async function show(row) {
    current = row;
    const wait = setTimeout(() => panel.replaceChildren(el('p', { class: 'note' }, 'Loading …')), 150);
    try {
      const event = await read(row);
      if (current === row) render(row, event, row.event_type === 'session' ? await lastModel() : undefined);
    } catch (error) {
      panel.replaceChildren(trouble(`This event cannot be shown: ${error.message}.`, () => show(row)));
    } finally {
      clearTimeout(wait);
    }
  }

  /** The conversation of a session is the one that its last model call has seen. */
  async function lastModel() {
    const models = state.rows.filter(({ event_type: kind }) => kind === 'model');
    return models.length > 0 ? read(models.at(-1)) : undefined;
  }

  function render(row, event, model) {
    $('#about').replaceChildren(...about(row));
    const views = {
      chat: () => [cards(row, event), chat(row, event, model)],
      inputs: () => [bucket(event.inputs)],
      outputs: () => [bucket(event.outputs), event.error && failure(event.error)],
      attributes: () => attributes(event),
      raw: () => [code(JSON.stringify(event, null, 2))],
    };
    const choose = (name) => {
      tab = name;
      for (const button of $$('[data-tab]')) button.setAttribute('aria-selected', String(button.dataset.tab === name));
      panel.replaceChildren(...views[name]().filter(Boolean));
    };
    for (const button of $$('[data-tab]')) button.onclick = () => choose(button.dataset.tab);
    choose(tab ?? 'chat');
  }

  const about = (row) => [
    el('span', {}, el('span', { class: `type ${row.event_type}` }), el('b', {}, row.event_name)),
    el('span', {}, row.event_type),
    row.model && el('span', {}, row.model),
    el('a', { class: 'mono link', href: row.event_type === 'session' ? '#' : `#event=${row.event_id}`, title: 'The link to this event' }, `#event=${row.event_id.slice(0, 8)}…`),
  ].filter(Boolean);

  const copies = {
    'session-markdown': async () => (await asked(`${path}/markdown`)).text(),
    'session-json': async () => JSON.stringify(await json(path), null, 2),
    'event-json': async () => JSON.stringify(await read(current), null, 2),
    'event-markdown': async () => markdown(current, await read(current)),
    curl: async () => `curl -s '${location.origin}${path}'`,
  };
  for (const button of $$('[data-copy-as]')) {
    button.addEventListener('click', async () => {
      $('#copy').open = false;
      try { await copy(await copies[button.dataset.copyAs]()); } catch (error) { toast(`Not copied: ${error.message}`); }
    });
  }
  return { show, know: (event) => whole.set(event.event_id, event) };
}

/** Returns an event as Markdown, with fences that its text cannot close. */
function markdown(row, event) {
  const fence = (text, kind = '') => {
    const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
    const ticks = '`'.repeat(longest + 1);
    return `${ticks}${kind}\n${text}\n${ticks}`;
  };
  const parts = [`## ${row.event_name} [${row.event_type}] ${duration(row.duration)}`];
  if (event.error) parts.push('Error:', fence(event.error));
  for (const name of ['inputs', 'outputs', 'config', 'metadata', 'metrics', 'feedback']) {
    if (Object.keys(event[name] ?? {}).length > 0) parts.push(`${name}:`, fence(JSON.stringify(event[name], null, 2), 'json'));
  }
  return `${parts.join('\n\n')}\n`;
}

// ---- Facts of a call, above its chat

function cards(row, event) {
  const metadata = event.metadata ?? {};
  const config = event.config ?? {};
  const first = (...values) => values.find((value) => value !== undefined && value !== null && value !== '');
  const input = first(metadata.prompt_tokens, metadata.input_tokens);
  const output = first(metadata.completion_tokens, metadata.output_tokens);
  const total = first(metadata.total_tokens, row.tokens || undefined);
  const cached = first(metadata['cache_read.input_tokens'], metadata.cache_read_input_tokens, metadata.cached_tokens, metadata.cache_read?.input_tokens);
  const finish = first(metadata.finish_reason, metadata.finish_reasons, event.outputs?.finish_reason);
  const facts = [
    ['Tokens', input !== undefined && output !== undefined ? `${count(input)} → ${count(output)}` : total !== undefined && count(total)],
    ['of it cached', cached > 0 && count(cached)],
    ['First token', row.first_token_ms > 0 && duration(row.first_token_ms)],
    ['Time', row.event_type === 'model' && duration(row.duration)],
    ['Cost', first(metadata.cost, row.cost) > 0 && cost(first(metadata.cost, row.cost))],
    ['Finish', finish !== undefined && [finish].flat().join(', ')],
    ['Temperature', config.temperature ?? config.hyperparameters?.temperature],
    ['Status', event.outputs?.status_code],
    ['Turns', first(metadata.num_turns, metadata.turns)],
    ...Object.entries(event.metrics ?? {}).filter(([, value]) => typeof value !== 'object').slice(0, 6)
      .map(([name, value]) => [name, typeof value === 'number' ? String(+value.toPrecision(4)) : String(value)]),
  ].filter(([, value]) => value !== undefined && value !== null && value !== false && value !== '');
  return facts.length > 0 && el('div', { class: 'cards' }, facts.map(([name, value]) =>
    el('div', { class: 'card' }, el('span', {}, name), el('b', {}, String(value)))));
}

// ---- Chat as people read it: role at the left, text at the right, tool calls as code

const MESSAGES = 100;

function chat(row, event, model) {
  const own = conversation(event);
  const seen = own ?? (model && conversation(model)) ?? plain(row, event);
  const messages = event.error && !seen.some(({ role }) => role === 'error')
    ? [...seen, { role: 'error', parts: [{ text: event.error }] }] : seen;
  const names = new Map();
  for (const { calls } of messages) for (const call of calls ?? []) if (call.id) names.set(call.id, call.name);
  const shown = messages.map((each) => message(each, names));
  const place = el('div', {});
  const hidden = shown.length - MESSAGES;
  if (hidden > 0) {
    const more = el('button', { class: 'more', type: 'button', onclick: () => more.replaceWith(...shown.slice(0, hidden)) }, `Show ${count(hidden)} earlier messages`);
    place.append(more, ...shown.slice(hidden));
  } else place.append(...shown);
  if (messages.length === 0) place.append(el('p', { class: 'note' }, 'Nothing was said: no inputs, no outputs.'));
  if (!own && model && conversation(model)) place.prepend(el('p', { class: 'note' }, `As the last model call, ${model.event_name}, has seen it:`));
  return place;
}

/** Returns the messages of an event that has some: those that went in, then those that came out. */
function conversation(event) {
  const [inputs, outputs] = [event.inputs ?? {}, event.outputs ?? {}];
  const before = list(inputs.chat_history ?? inputs.messages).map(told);
  const after = list(outputs.chat_history ?? outputs.messages ?? outputs.choices).map((each) => told(each?.message ?? each));
  if (outputs.role !== undefined || (before.length > 0 && (outputs.content !== undefined || list(toolCalls(outputs)).length > 0))) {
    after.push(told({ ...outputs, role: outputs.role ?? 'assistant' }));
  } else if (before.length > 0 && after.length === 0 && Object.keys(outputs).length > 0) {
    const text = outputs.text ?? outputs.content;
    after.push({ role: 'assistant', parts: [typeof text === 'string' ? { text } : { json: outputs }] });
  }
  return before.length + after.length > 0 ? [...before, ...after] : undefined;
}

/** Lists also come as objects with numbers for keys, and messages as JSON: so does a Python program's argument. */
function list(value) {
  if (typeof value === 'string' && value.startsWith('[')) {
    try {
      const parsed = JSON.parse(value);
      return parsed.every((item) => item && typeof item === 'object') ? parsed : [];
    } catch {
      return [];
    }
  }
  if (Array.isArray(value)) return value;
  if (value && typeof value === 'object' && Object.keys(value).every((key) => /^\d+$/.test(key))) return Object.values(value);
  return [];
}

/** Reads one message of any of the usual shapes. */
function told(message) {
  if (typeof message !== 'object' || message === null) return { role: 'message', parts: [{ text: String(message) }] };
  const content = message.content ?? message.value ?? message.parts ?? message.text;
  const parts = Array.isArray(content) ? content.map(part) : content === undefined || content === null ? [] : [part(content)];
  const calls = [...list(toolCalls(message)), ...(message.function_call ? [message.function_call] : [])].map(call);
  const reasoning = message.reasoning ?? message.reasoning_content ?? message.thinking;
  if (typeof reasoning === 'string' && reasoning !== '') parts.unshift({ text: reasoning, kind: 'reasoning' });
  return { role: String(message.role ?? message.type ?? 'message'), name: message.name, answers: message.tool_call_id, parts, calls };
}

/** Reads `tool_calls`, also where its path was flattened to `tool_calls.0.name`. */
function toolCalls(message) {
  if (message.tool_calls !== undefined) return message.tool_calls;
  const calls = [];
  for (const [key, value] of Object.entries(message)) {
    const [, index, field] = /^tool_calls\.(\d+)\.(.+)$/.exec(key) ?? [];
    if (field) (calls[index] ??= {})[field.replace(/^function\./, '')] = value;
  }
  return calls.filter(Boolean);
}

function part(content) {
  if (typeof content === 'string') return { text: content };
  const text = content?.text ?? content?.content;
  if (typeof text === 'string') return { text, kind: content.type === 'reasoning' || content.type === 'thinking' ? content.type : undefined };
  return { json: content };
}

function call(made) {
  const inner = made?.function ?? made ?? {};
  const given = inner.arguments ?? inner.args ?? inner.input ?? '';
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return { id: made?.id, name: String(inner.name ?? 'call'), arguments: text(given), result: made?.result && text(made.result) };
}

/** Shows inputs and outputs of an event without messages, a tool's as a call. */
function plain(row, event) {
  const messages = [];
  const [inputs, outputs] = [event.inputs ?? {}, event.outputs ?? {}];
  const parts = (object) => {
    const [only] = Object.values(object);
    return Object.keys(object).length === 1 && typeof only === 'string' ? [{ text: only }] : [{ json: object }];
  };
  if (row.event_type === 'tool' && Object.keys(inputs).length > 0) {
    messages.push({ role: 'call', parts: [], calls: [{ name: row.event_name, arguments: JSON.stringify(inputs) }] });
  } else if (Object.keys(inputs).length > 0) messages.push({ role: 'input', parts: parts(inputs) });
  if (Object.keys(outputs).length > 0) messages.push({ role: 'output', parts: row.event_type === 'tool' ? [{ json: outputs }] : parts(outputs) });
  return messages;
}

function message({ role, name, answers, parts, calls }, names) {
  const tool = role === 'tool' || role === 'function';
  const label = name ?? names.get(answers) ?? answers;
  const said = parts.map((each) => each.json !== undefined
    ? el('div', { class: 'call' }, long(JSON.stringify(each.json, null, 1)))
    : tool ? el('div', { class: 'call' }, long(each.text)) : each.kind ? thoughts(each.text) : el('p', {}, long(each.text)));
  const made = (calls ?? []).map((each) => el('div', { class: 'call' }, el('b', {}, each.name), '(', long(each.arguments), ')',
    each.result && el('div', { class: 'result' }, long(each.result))));
  if (said.length + made.length === 0) said.push(el('p', { class: 'dim' }, '(empty)'));
  return el('div', { class: `msg ${['assistant', 'error'].includes(role) ? role : ''}` },
    el('div', { class: 'who' }, role, label && el('br'), label && el('span', { class: 'mono' }, label)),
    el('div', { class: 'say' }, said, made));
}

/** A model's thoughts are apart from its words, and closed until a reader opens them. */
const thoughts = (text) => el('details', { class: 'thoughts' }, el('summary', {}, 'Reasoning'), el('p', { class: 'dim' }, long(text)));

// ---- Values

const LONG = 6000;

/** Shows a text, and the rest of a very long one only when it is asked for. */
function long(text) {
  if (text.length <= LONG) return [text];
  const rest = el('button', { class: 'more', type: 'button', onclick: () => rest.replaceWith(text.slice(LONG)) }, `Show all ${count(text.length)} characters`);
  return [text.slice(0, LONG), ' … ', rest];
}

const code = (text) => el('pre', {}, long(text));
const failure = (text) => el('div', { class: 'msg error' }, el('div', { class: 'who' }, 'error'), el('div', { class: 'say' }, el('p', {}, long(text))));

const FIELDS = 200;

function pairs(object) {
  const entries = Object.entries(object);
  const rows = ([key, value]) => [el('dt', {}, key), el('dd', { class: typeof value === 'object' && value !== null ? 'mono' : undefined },
    long(typeof value === 'string' ? value : JSON.stringify(value, null, 2)))];
  const place = el('dl', { class: 'pairs' }, entries.slice(0, FIELDS).map(rows));
  if (entries.length <= FIELDS) return place;
  const more = el('button', { class: 'more', type: 'button', onclick: () => { more.remove(); place.append(...entries.slice(FIELDS).flatMap(rows)); } },
    `Show all ${count(entries.length)} fields`);
  return el('div', {}, place, more);
}

const bucket = (object) => Object.keys(object ?? {}).length > 0 ? pairs(object) : el('p', { class: 'note' }, 'Empty.');

function attributes(event) {
  const span = Object.fromEntries(['trace_id', 'span_id', 'parent_span_id', 'parent_id', 'kind', 'scope_name', 'source', 'project', 'user_id']
    .filter((key) => event[key]).map((key) => [key, event[key]]));
  if (event.status?.code) span.status = [event.status.code, event.status.message].filter(Boolean).join(': ');
  const groups = [['Config', event.config], ['Metadata', event.metadata], ['Metrics', event.metrics], ['Feedback', event.feedback],
    ['User properties', event.user_properties], ['Span', span], ['Span events', event.span_events], ['Links', event.links],
    ['Attributes as they came', event.attributes], ['Resource', event.resource]];
  const full = groups.filter(([, object]) => Object.keys(object ?? {}).length > 0);
  if (full.length === 0) return [el('p', { class: 'note' }, 'None.')];
  return full.map(([name, object]) => el('details', { class: 'group', open: true }, el('summary', {}, name), pairs(object)));
}

// ---- Keys and the rest

const views = { sessions: () => { const keys = startList(); startSessions(); return keys; }, session: startSession, list: () => { startOther(); return startList(); } };

localTimes();
const keys = views[document.body.dataset.view]?.() ?? {};
startLive();
$('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
$('#next-error')?.addEventListener('click', () => keys.nextError?.());
$('#help').addEventListener('click', () => $('#keys').showModal());
document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy]');
  if (button) copy(button.dataset.copy);
  const menu = $('details.menu[open]');
  if (menu && !menu.contains(event.target)) menu.open = false;
});
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.matches('input, textarea, select');
  if (typing) { if (event.key === 'Escape') event.target.blur(); return; }
  if ($('#keys').open || (event.key === 'Enter' && event.target.matches('a, button, summary'))) return;
  const all = { ...keys, '?': () => $('#keys').showModal(), p: () => live.toggle() };
  const act = all[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
