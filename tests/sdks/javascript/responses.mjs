// The npm package `openai` as a caller of Responses, as its documentation has it used.
import { client } from './chat.mjs';
import { load, Tide } from './packages.mjs';

const { zodTextFormat } = load('openai/helpers/zod');
const ONCE = ['tool_choice', 'text'];

export { client };

export async function say(client, ask, streamed, structured) {
  if (structured) ask = { ...ask, text: { format: zodTextFormat(Tide, 'Tide') } };
  const { responses } = client;
  if (!streamed) return structured ? responses.parse(ask) : responses.create(ask);
  const stream = responses.stream(ask);
  let number = 0;
  for await (const event of stream) {
    if (event.sequence_number !== number++) throw new Error(`event ${event.sequence_number}`);
  }
  return stream.finalResponse();
}

export function goOn(ask, answer, { results, question }) {
  const turns = answer.output
    .filter(({ type }) => type === 'function_call')
    .map(({ call_id, name }) => (
      { type: 'function_call_output', call_id, output: results[name] }
    ));
  if (!turns.length) turns.push({ role: 'user', content: question });
  const rest = Object.fromEntries(Object.entries(ask).filter(([name]) => !ONCE.includes(name)));
  return { ...rest, input: [...ask.input, ...answer.output, ...turns] };
}

export function told(answer) {
  const calls = [];
  let [thought, signature] = ['', ''];
  for (const item of answer.output) {
    if (item.type === 'function_call') {
      calls.push([item.call_id, item.name, JSON.parse(item.arguments)]);
    } else if (item.type === 'reasoning') {
      thought += item.summary.map(({ text }) => text).join('');
      signature = item.encrypted_content || signature;
    }
  }
  const { usage } = answer;
  const cached = usage.input_tokens_details.cached_tokens;
  const reasoning = usage.output_tokens_details.reasoning_tokens || null;
  return {
    text: answer.output_text,
    calls,
    thought,
    signature,
    finish: answer.status === 'incomplete' ? 'length' : calls.length ? 'tool_calls' : 'stop',
    tokens: [usage.input_tokens - cached, cached, usage.output_tokens - (reasoning ?? 0), reasoning, 0],
    choices: 1,
  };
}

export const formed = (answer) => answer.output_parsed ?? null;
