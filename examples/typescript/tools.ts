// A model that calls a function, and answers from what that says.
import OpenAI from 'openai';
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources';

import { apiKey, model, url } from './tidegate.ts';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });

const tools: ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'tide',
      description: 'How high the water is, in metres.',
      parameters: {
        type: 'object',
        properties: { place: { type: 'string' } },
        required: ['place'],
        additionalProperties: false,
      },
    },
  },
];
const messages: ChatCompletionMessageParam[] = [
  { role: 'user', content: 'How high is the tide in Hamburg?' },
];

const first = await client.chat.completions.create({
  model,
  messages,
  tools,
  tool_choice: 'required',
});
const said = first.choices[0]?.message;
if (!said) throw new Error('no answer');
messages.push(said);
for (const call of said.tool_calls ?? []) {
  if (call.type !== 'function') continue;
  const { place } = JSON.parse(call.function.arguments) as { place: string };
  console.log(`asked for the tide in ${place}`);
  messages.push({ role: 'tool', tool_call_id: call.id, content: '{"metres": 3.2}' });
}

const second = await client.chat.completions.create({ model, messages, tools });
console.log(second.choices[0]?.message.content);
