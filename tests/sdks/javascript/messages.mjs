// The npm package `@anthropic-ai/sdk` as a caller of Messages, as its documentation has it used.
import { load, Tide } from './packages.mjs';

const Anthropic = load('@anthropic-ai/sdk').default;
const { zodOutputFormat } = load('@anthropic-ai/sdk/helpers/zod');
const ONCE = ['tool_choice', 'output_config'];
const FINISHES = { end_turn: 'stop', tool_use: 'tool_calls', max_tokens: 'length' };

export const client = (baseURL, apiKey) =>
  new Anthropic({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });

export async function say(client, ask, streamed, structured) {
  if (structured) ask = { ...ask, output_config: { format: zodOutputFormat(Tide) } };
  const { messages } = client;
  if (streamed) return messages.stream(ask).finalMessage();
  return structured ? messages.parse(ask) : messages.create(ask);
}

export function goOn(ask, { content }, { results, question }) {
  const answers = content
    .filter(({ type }) => type === 'tool_use')
    .map(({ id, name }) => ({ type: 'tool_result', tool_use_id: id, content: results[name] }));
  const turns = [
    { role: 'assistant', content },
    { role: 'user', content: answers.length ? answers : question },
  ];
  const rest = Object.fromEntries(Object.entries(ask).filter(([name]) => !ONCE.includes(name)));
  return { ...rest, messages: [...ask.messages, ...turns] };
}

export function told(answer) {
  const calls = [];
  let [text, thought, signature] = ['', '', ''];
  for (const block of answer.content) {
    if (block.type === 'text') text += block.text;
    else if (block.type === 'tool_use') calls.push([block.id, block.name, block.input]);
    else if (block.type === 'thinking') {
      thought += block.thinking;
      signature = block.signature || signature;
    } else signature = block.data;
  }
  const { usage } = answer;
  const cached = usage.cache_read_input_tokens ?? 0;
  const written = usage.cache_creation_input_tokens ?? 0;
  return {
    text,
    calls,
    thought,
    signature,
    finish: FINISHES[answer.stop_reason],
    tokens: [usage.input_tokens, cached, usage.output_tokens, null, written],
    choices: 1,
  };
}

export const formed = (answer) => answer.parsed_output ?? null;
