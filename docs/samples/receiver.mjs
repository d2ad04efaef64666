// Receives a Reachwire webhook: checks both signatures, handles each message once, posts receipts back.
//
//     PORT=8080 WEBHOOK_KEY='the key' RECEIPT_URL='https://.../receiveWebHookCallBack' node receiver.mjs
//
// Node.js 18 or later, nothing but what comes with it. Put a reverse proxy with https before it.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PORT = Number(process.env.PORT ?? 8080);
const KEY = process.env.WEBHOOK_KEY ?? '';
const RECEIPT_URL = process.env.RECEIPT_URL ?? '';
const TOLERANCE = 300; // seconds that a request's time may be away from ours
const BODY_MAX = 32 * 1024 * 1024;
const REMEMBERED = 1_000_000;

// Your own work: send the SMS, issue the coupon. An exception makes Reachwire send the batch again.
async function work(message) {
  console.log('processed', message.callback_params.actionId);
}

const hmac = (key, ...pieces) => pieces.reduce((mac, piece) => mac.update(piece), createHmac('sha256', key));

// X-QA-Hmac-Signature: the three strings sorted as Java sorts them (by UTF-16 units, as sort() does), joined, without
// what Java's \s is (JavaScript's has more).
function sign(key, timestamp, nonce) {
  const text = [key, timestamp, nonce].sort().join('').replace(/[ \t\n\v\f\r]/g, '');
  return hmac(key, text).digest('hex');
}

// webhook-signature (Standard Webhooks): covers the body.
const signBody = (key, id, timestamp, body) => 'v1,' + hmac(key, `${id}.${timestamp}.`, body).digest('base64');

// In constant time.
function same(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

// Throws Refused unless Reachwire sent this, now, and with this body.
function check(query, headers, body) {
  const [timestamp, nonce] = [query.get('timestamp') ?? '', query.get('nonce') ?? ''];
  if (!same(sign(KEY, timestamp, nonce), headers['x-qa-hmac-signature'] ?? '')) {
    throw new Refused(401, 'BAD_SIGNATURE', 'X-QA-Hmac-Signature does not fit the key, timestamp and nonce');
  }
  if (!/^[0-9]{1,12}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE) {
    throw new Refused(401, 'BAD_TIMESTAMP', `the timestamp is more than ${TOLERANCE} s away from our time`);
  }
  const right = signBody(KEY, headers['webhook-id'] ?? '', timestamp, body);
  const signatures = (headers['webhook-signature'] ?? '').split(' ');
  if (headers['webhook-timestamp'] !== timestamp || !signatures.some((one) => same(right, one))) {
    throw new Refused(401, 'BAD_BODY_SIGNATURE', 'webhook-signature does not fit the key, id, timestamp and body');
  }
}

// The actionIds that were handled. In production: a table with a unique key, written in the transaction of the work.
const done = new Set();
// One batch at a time, so that one that comes again waits for the first one's end.
let turn = Promise.resolve();

// Handles what was not handled before. The same batch may come again: after a timeout, or a lost answer.
function handle(body) {
  let messages;
  try {
    messages = JSON.parse(body.toString('utf8'));
    for (const { callback_params: { actionId } } of messages) if (typeof actionId !== 'string') throw new TypeError();
  } catch {
    throw new Refused(400, 'BAD_BODY', 'the body is not an array of messages');
  }
  const result = turn.then(() => handleNew(messages));
  turn = result.catch(() => {});
  return result;
}

async function handleNew(messages) {
  const receipts = [];
  try {
    for (const message of messages) {
      const action = message.callback_params.actionId;
      if (done.has(action)) continue;
      await work(message);
      done.add(action);
      if (done.size > REMEMBERED) done.delete(done.values().next().value);
      receipts.push(receipt(message, '200'));
    }
  } finally {
    if (receipts.length && RECEIPT_URL) postReceipts(receipts);
  }
}

// What became of a message; status is one of the webhook's status codes.
const receipt = (message, status) => ({
  msg_id: randomBytes(16).toString('hex'),
  status,
  cst_id: message.user_profile.customer_id,
  send_time: String(Date.now()),
  callback_params: message.callback_params, // as they came
});

// At most 10,000 in a request. Posting the same ones again changes nothing, so it tries until they are taken.
async function postReceipts(receipts) {
  const body = JSON.stringify(receipts);
  for (const wait of [0, 2, 10, 60]) {
    await sleep(wait * 1000);
    const [timestamp, nonce] = [String(Math.floor(Date.now() / 1000)), randomBytes(16).toString('hex')];
    const url = RECEIPT_URL + (RECEIPT_URL.includes('?') ? '&' : '?') + new URLSearchParams({ timestamp, nonce });
    const headers = { 'Content-Type': 'application/json', 'X-QA-Hmac-Signature': sign(KEY, timestamp, nonce) };
    try {
      const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) });
      const text = await answer.text();
      if (answer.ok && JSON.parse(text).code === 200) return;
      console.error('receipts:', answer.status, text.slice(0, 2000));
      // The message says which were not taken and why; the others are recorded.
      if (answer.status < 500 && ![408, 429].includes(answer.status)) return;
    } catch (error) {
      console.error('receipts:', String(error));
    }
  }
}

async function read(request) {
  const pieces = [];
  let size = 0;
  for await (const piece of request) {
    size += piece.length;
    if (size > BODY_MAX) throw new Refused(413, 'TOO_LARGE', `the body has more than ${BODY_MAX} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

const server = createServer(async (request, response) => {
  const answer = (status, code, message) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ code, message }));
  };
  try {
    if (request.method !== 'POST') throw new Refused(405, 'POST_ONLY', 'this address takes POSTs');
    const body = await read(request);
    check(new URLSearchParams(request.url.replace(/^[^?]*\??/, '')), request.headers, body);
    await handle(body);
    answer(200, 'OK', '');
  } catch (error) {
    if (error instanceof Refused) return answer(error.status, error.code, error.message);
    console.error('failed:', error); // a 500: Reachwire sends the batch again
    answer(500, 'FAILED', 'not all messages were handled');
  }
});

if (!KEY) {
  console.error('WEBHOOK_KEY is not set: without a key anybody can post');
  process.exit(1);
}
server.requestTimeout = 30_000;
server.listen(PORT, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${PORT}`));
