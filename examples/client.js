#!/usr/bin/env node
/* A hearthbus client in one file, out of ZeroMQ, msgpack and docs/protocol.md: "step 5" below is a step of that page.
 *
 *     npm ci && node client.js [URL [PATTERN [TOPIC]]]        default: tcp://127.0.0.1:7600 '#' light/hall/set
 *
 * It prints the retained state of PATTERN and then every message, publishes one message and waits until that is on
 * disk, and asks whoever serves TOPIC to switch on. When the broker was away it goes on where it was. Ctrl-C ends it.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { decode, encode } from "@msgpack/msgpack";
import { Dealer, Subscriber } from "zeromq";

const [url = "tcp://127.0.0.1:7600", pattern = "#", lamp = "light/hall/set"] = process.argv.slice(2);
const name = "node-example";
const session = randomBytes(16); // the same over reconnections: messages are numbered within it
const RETAIN = 1;
const HEADER = 34; // bytes between a message's topic and the publisher's name
const FOREVER = 2n ** 63n - 1n; // the one number of the protocol that JavaScript must write as a BigInt

/* ---- Step 1: the sockets. Why each option is set stands in the page. --------------------------------------------- */

const options = { linger: 0, reconnectInterval: 100, reconnectMaxInterval: 1000, receiveHighWaterMark: 100000 };
const heartbeats = { heartbeatInterval: 1000, heartbeatTimeout: 3000, heartbeatTimeToLive: 3000, receiveHighWaterMark: 0 };
const dealer = new Dealer({ ...options, ...heartbeats, sendHighWaterMark: 20000, immediate: true, sendTimeout: 0 });
let sub; // made when the greeting has told its address
let fanout = "";

/* ---- Saying verbs and hearing answers ---------------------------------------------------------------------------- */

let [up, leaving] = [false, false]; // greeted, and not a stranger since; about to end
let beatMs = 1000;
let ahead = 0; // how far the clock of the broker is ahead of ours, in milliseconds
let lastId = 0;
const waiting = new Map(); // id of a question -> how to settle it

/** Send bytes. While there is no connection they are dropped: the next greeting begins anew. */
const send = (bytes) => dealer.send(bytes).catch(() => {});

/** Say a verb: its letter, then one msgpack map. */
const say = (verb, fields) => send(Buffer.concat([Buffer.from(verb), encode(fields, { useBigInt64: true })]));

/** Say a verb that is answered, and wait for the answer. */
function ask(verb, fields) {
  const id = ++lastId;
  say(verb, { id, ...fields });
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject })).finally(() => waiting.delete(id));
}

const settle = (fields) => waiting.get(fields.id)?.resolve(fields);

/** All that the broker can say; but P, "taken in", is nothing to us, who wait for C, "on disk". */
const meaning = { A: settle, B: checked, C: stored, E: failed, H: welcomed, K: settle, N: strange, S: settle };

async function hear() {
  for await (const [frame] of dealer) {
    const verb = String.fromCharCode(frame[0]);
    meaning[verb]?.(verb === "C" ? Number(frame.readBigUInt64BE(1)) : decode(frame.subarray(1)));
  }
}

/** Step 2. Said until it is answered; a greeting is lost with its connection. */
function greet() {
  const { pid } = process;
  say("H", { versions: [1], name, session, software: "0.1.0", pid, host: hostname(), presence: true, will: {} });
}

function welcomed(fields) {
  if (up) return;
  up = true;
  beatMs = fields.beat_ms;
  ahead = fields.clock - performance.now();
  epoch = fields.epoch;
  if (fields.fanout !== fanout) listen(fields.fanout);
  ask("W", { patterns: [pattern] }).catch(report);
  setMarker();
  publishAgain(fields.number);
}

/** The broker does not know this connection: it was restarted, or has taken us for lost. It has no answers for us. */
function strange() {
  if (leaving) process.exit(0);
  up = false;
  for (const question of waiting.values()) question.reject(new Error("the broker went away before it answered"));
  greet();
}

function failed({ id, number, kind, text }) {
  const error = new Error(`${kind}: ${text}`);
  if (number) refused(number, kind, error);
  else if (waiting.has(id)) waiting.get(id).reject(error);
  else report(error); // a greeting that was refused: it is said again, because a name in use becomes free
}

let told = "";

/** Tell a person, once in a row. */
function report({ message: text }) {
  if (text !== told) console.error(text);
  told = text;
}

/* ---- Subscribing ------------------------------------------------------------------------------------------------- */

const seen = new Map(); // topic -> offset of its newest message that was shown
let epoch = 0; // the broker's history
let known = 0; // the history that all offsets here belong to
let start = 0; // listening since this offset
let verified = 0; // nothing up to this offset is missing, or the journal has been read and did not have it
let suspects = new Set(); // topics of which something was missing at the last heartbeat

const lastSeen = (topic) => seen.get(topic) ?? start;

/** `+` is one segment, `#` is any tail; ZeroMQ's prefixes let through more than that. */
const wanted = new RegExp(
  `^${pattern.replaceAll(".", "\\.").replaceAll("+", "[^/]+").replace(/\/#$/, "(/.*)?").replace(/^#$/, ".*")}$`,
);

/** Step 3: what ZeroMQ filters by, with the NUL that ends a topic on the wire: sensor/hall is not sensor/hallway. */
function prefixes() {
  const wild = pattern.search(/[+#]/);
  if (wild < 0) return [`${pattern}\0`];
  const literal = pattern.slice(0, wild);
  return pattern[wild] === "#" && literal ? [`${literal.slice(0, -1)}\0`, literal] : [literal];
}

/** Step 3: connect the fan-out. 0.0.0.0 in its address is the host at which we reached the broker. */
function listen(address) {
  sub?.close();
  sub = new Subscriber(options);
  fanout = address;
  sub.subscribe(`$up/${name}\0`, ...prefixes()); // the end of the first one is how our death is seen at once
  sub.connect(address.replace("tcp://0.0.0.0:", `${url.slice(0, url.lastIndexOf(":"))}:`));
  receive(sub);
}

let [marker, markers] = ["", 0]; // the newest, and how many there were
let marking = true; // the marker is not answered yet: what arrives will also be read
let reading = Promise.resolve(); // settles when the past has been read; messages wait for it in ZeroMQ's queue

/** Step 4: one subscription more, which the broker answers: then all those before it hold, too. */
function setMarker() {
  if (marker) sub.unsubscribe(marker);
  marker = `$sub/${session.toString("hex")}/${++markers}/`;
  sub.subscribe(marker);
  marking = true;
}

async function receive(socket) {
  for await (const [frame] of socket) {
    if (frame[0] === 0x24) answered(frame); // "$": not a message
    else if (!marking) {
      await reading;
      if (!marking) take(frame, "stream");
    }
  }
}

/** Step 4: from the offset in the marker's answer on, everything arrives. What was before is read. */
function answered(frame) {
  if (!up || frame.subarray(0, -8).toString() !== marker) return;
  if (!marking) return setMarker(); // answered a second time: the fan-out was away, something may be missing
  marking = false;
  const offset = Number(frame.readBigUInt64BE(marker.length));
  read(known === epoch ? readJournal : () => readState(offset));
}

/** Read the past, after what is being read already; messages wait meanwhile. */
function read(past) {
  reading = reading.then(past).catch(report);
}

/** Step 5: the first time, and when the broker's history broke off. */
async function readState(offset) {
  start = verified = offset;
  seen.clear();
  for (let after = "", page; !page?.end; after = page.next) {
    page = await ask("S", { patterns: [pattern], after });
    for (const frame of page.frames) take(Buffer.from(frame), "state");
  }
  known = epoch;
  ready();
}

/** Step 7: what was missed. */
async function readJournal() {
  for (let page; !page?.end; verified = Number(page.next)) {
    page = await ask("R", { patterns: [pattern], after: verified, since: 0, until: FOREVER, limit: 500 });
    for (const frame of page.frames) take(Buffer.from(frame), "journal");
  }
}

/** Step 6: the two rules. Each message names its own offset, and that of the message before it on its topic. */
function take(frame, source) {
  const end = frame.indexOf(0);
  const topic = frame.toString("utf8", 0, end);
  const [seq, offset, previous] = [1, 9, 17].map((at) => Number(frame.readBigUInt64BE(end + at)));
  if (!wanted.test(topic)) return;
  if (source === "state" ? offset > start : offset <= lastSeen(topic)) return; // it will come live; it has come
  const gap = source !== "state" && previous > lastSeen(topic);
  if (gap && source === "stream" && previous > verified) return read(readJournal); // which brings this one, too
  if (source !== "state") seen.set(topic, offset);
  const body = end + 1 + HEADER + frame[end + HEADER];
  const origin = frame.toString("utf8", end + 1 + HEADER, body);
  const lost = gap ? "  LOST SOME BEFORE" : ""; // the journal did not have them
  console.log(`${source.padEnd(7)} ${topic} ${shown(frame.subarray(body))}  ${seq} from ${origin}${lost}`);
}

/** A body as JSON. The broker does not look into every one: what arrives need not be sound. */
function shown(bytes) {
  try { return JSON.stringify(decode(bytes)); } catch { return "(not sound)"; }
}

/** Step 8: the answer to a heartbeat tells which topics moved. Missing once is on its way, twice is missing. */
function checked({ offset, changed, complete }) {
  const missing = changed.filter(([topic, newest]) => newest > lastSeen(topic)).map(([topic]) => topic);
  if (!complete || missing.some((topic) => suspects.has(topic))) read(readJournal);
  else if (!missing.length) verified = Math.max(verified, offset);
  suspects = new Set(missing);
}

/* ---- Step 9: publishing ------------------------------------------------------------------------------------------ */

const outbox = []; // what is not on disk yet, oldest first
let lastNumber = 0;

function u64(number) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(number));
  return bytes;
}

/** A message as publishers send it: topic NUL time flags body. */
function message(topic, flags, body) {
  const time = u64(BigInt(Date.now()) * 1_000_000n);
  return Buffer.concat([Buffer.from(`${topic}\0`), time, Buffer.from([flags]), encode(body)]);
}

/** Publish retained; settles when it is on disk. */
function publish(topic, body) {
  const entry = { number: ++lastNumber, message: message(topic, RETAIN, body) };
  if (up) store(entry.number, [entry.message]);
  return new Promise((resolve, reject) => outbox.push({ ...entry, resolve, reject }));
}

/** Say C: the number of the first message, then a list of messages. */
const store = (first, messages) => send(Buffer.concat([Buffer.from("C"), u64(first), encode(messages)]));

/** After a greeting: what was not taken in is sent again; an empty list asks whether the rest is on disk. */
function publishAgain(taken) {
  if (outbox.length) store(taken + 1, []);
  for (const entry of outbox) if (entry.number > taken) store(entry.number, [entry.message]);
}

function stored(number) {
  while (outbox[0]?.number <= number) outbox.shift().resolve();
}

/** One message was refused; or, when the disk is unavailable, all up to it are not on disk. */
function refused(number, kind, error) {
  const concerned = (entry) => (kind === "unavailable" ? entry.number <= number : entry.number === number);
  for (const entry of outbox.filter(concerned)) outbox.splice(outbox.indexOf(entry), 1)[0].reject(error);
}

/* ---- All together ------------------------------------------------------------------------------------------------ */

let ready; // called when the state has been read
const complete = new Promise((resolve) => (ready = resolve));

/** Greet until greeted, then beat. */
async function keepTalking() {
  for (let tries = 1; ; tries = up ? 1 : tries + 1) {
    if (up) say("B", { offset: verified, lost: 0, refilled: 0 });
    else greet();
    if (tries === 10) report(new Error(`no broker answers at ${url}; trying until one does`));
    await sleep(up ? beatMs : 250);
  }
}

/** Step 10. The beat after it is answered by N: then the goodbye has been heard, and the sockets may close. */
async function goodbye() {
  leaving = true;
  say("G", {});
  say("B", { offset: verified, lost: 0, refilled: 0 });
  await sleep(500);
  process.exit(0);
}

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, goodbye);
dealer.connect(url);
hear();
keepTalking();

await complete;
await publish("sensor/window/contact", { value: true }).then(() => console.log("on disk"), report);
const deadline = Math.floor(performance.now() + ahead) + 5000;
const question = { timeout_ms: 5000, deadline, message: message(lamp, 0, { on: true }) };
await ask("Q", question).then(({ body }) => console.log(`answer  ${lamp} ${JSON.stringify(body)}`), report);
