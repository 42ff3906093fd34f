// The npm package `openai` as a caller of chat completions, as its documentation has it used.
import { load, Tide } from './packages.mjs';

const OpenAI = load('openai').default;
const { zodResponseFormat } = load('openai/helpers/zod');
const ONCE = ['tool_choice', 'response_format'];
const OWN = new Set(['role', 'content', 'refusal', 'tool_calls', 'function_call']);

export const client = (url, apiKey) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });

export async function say(client, ask, streamed, structured) {
  if (structured) ask = { ...ask, response_format: zodResponseFormat(Tide, 'Tide') };
  const { completions } = client.chat;
  if (!streamed) return structured ? completions.parse(ask) : completions.create(ask);
  const stream = completions.stream({ ...ask, stream_options: { include_usage: true } });
  const thought = {}; // the client keeps only the last piece of what it does not know
  stream.on('chunk', (chunk) => {
    for (const [name, value] of Object.entries(chunk.choices[0]?.delta ?? {})) {
      if (OWN.has(name) || value === null) continue;
      if (typeof value === 'string') thought[name] = (thought[name] ?? '') + value;
      else thought[name] = [...(thought[name] ?? []), ...value];
    }
  });
  const answer = await stream.finalChatCompletion();
  Object.assign(answer.choices[0].message, thought);
  return answer;
}

export function goOn(ask, answer, { results, question }) {
  const { message } = answer.choices[0];
  const calls = message.tool_calls ?? [];
  const turns = calls.map(({ id, function: { name } }) => (
    { role: 'tool', tool_call_id: id, content: results[name] }
  ));
  if (!turns.length) turns.push({ role: 'user', content: question });
  const rest = Object.fromEntries(Object.entries(ask).filter(([name]) => !ONCE.includes(name)));
  return { ...rest, messages: [...ask.messages, message, ...turns] };
}

export function told(answer) {
  const [{ message, finish_reason: finish }] = answer.choices;
  const { usage } = answer;
  const [carried = {}] = message.reasoning_details ?? [];
  const cached = usage.prompt_tokens_details.cached_tokens;
  const written = usage.prompt_tokens_details.cache_write_tokens ?? 0;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens ?? null;
  return {
    text: message.content ?? '',
    calls: (message.tool_calls ?? []).map(({ id, function: { name, arguments: text } }) => (
      [id, name, JSON.parse(text)]
    )),
    thought: message.reasoning_content || message.reasoning || '',
    signature: carried.signature || carried.data || '',
    finish,
    tokens: [
      usage.prompt_tokens - cached - written,
      cached,
      usage.completion_tokens - (reasoning ?? 0),
      reasoning,
      written,
    ],
    choices: answer.choices.length,
  };
}

export const formed = (answer) => answer.choices[0].message.parsed ?? null;
