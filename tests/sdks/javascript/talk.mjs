// Holds conversations with the official npm clients: one JSON line in, one out.
//
// A line in: {caller, ask, turns, streamed, structured, facts}. A line out: {turns: [{said, formed}]}
// in the words of tests/sdks/said.py, or {refused: {name, status, code, message}}.
import { createInterface } from 'node:readline';

import * as aiSdk from './ai.mjs';
import * as chat from './chat.mjs';
import * as messages from './messages.mjs';
import * as responses from './responses.mjs';

const speakers = { chat, responses, messages, ai: aiSdk };
const [baseUrl, apiKey] = process.argv.slice(2);
const clients = {};

async function hold({ caller, ask, turns, streamed, structured, facts }) {
  const speaker = speakers[caller];
  const client = (clients[caller] ??= speaker.client(baseUrl, apiKey));
  const told = [];
  for (;;) {
    const answer = await speaker.say(client, ask, streamed, structured && !told.length);
    told.push({ said: speaker.told(answer), formed: speaker.formed(answer) });
    if (told.length === turns) return { turns: told };
    ask = speaker.goOn(ask, answer, facts);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let out;
  try {
    out = await hold(JSON.parse(line));
  } catch (error) {
    const { status = null, code = null, message } = error;
    out = { refused: { name: error.constructor.name, status, code, message, stack: error.stack } };
  }
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
