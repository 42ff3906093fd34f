// What npm's clients make of errors, and leaving in the middle: `trouble.mjs URL KEY MODEL STEP...`.
import { load } from './packages.mjs';

const OpenAI = load('openai').default;
const Anthropic = load('@anthropic-ai/sdk').default;
const [url, apiKey, model, ...steps] = process.argv.slice(2);
const clients = {
  chat: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 2 }),
  messages: new Anthropic({ baseURL: url, apiKey, maxRetries: 2 }),
};
const messages = [{ role: 'user', content: 'hi' }];
const asks = {
  chat: (options, more) => clients.chat.chat.completions.create({ model, messages, ...more }, options),
  messages: (options, more) =>
    clients.messages.messages.create({ model, messages, max_tokens: 9, ...more }, options),
};

async function ask(wire) {
  const answer = await asks[wire]();
  return { text: answer.choices?.[0].message.content ?? answer.content[0].text };
}

async function leave(wire) {
  const controller = new AbortController();
  const stream = await asks[wire]({ signal: controller.signal }, { stream: true });
  let pieces = 0;
  for await (const event of stream) {
    const text = event.choices?.[0]?.delta.content ?? event.delta?.text;
    if (text && (pieces += 1) === 2) controller.abort();
  }
  return { pieces };
}

async function stream(wire) {
  let text = '';
  for await (const event of await asks[wire]({}, { stream: true })) {
    text += event.choices?.[0]?.delta.content ?? event.delta?.text ?? '';
  }
  return { text };
}

for (const step of steps) {
  const [what, wire] = step.split(':');
  let out;
  try {
    out = await { ask, leave, stream }[what](wire);
  } catch (error) {
    const { status = null, code = null, requestID = null, headers } = error;
    const id = requestID ?? error.request_id ?? null;
    out = { name: error.constructor.name, status, code, id, after: headers?.get('retry-after') };
  }
  console.log(JSON.stringify(out));
}
