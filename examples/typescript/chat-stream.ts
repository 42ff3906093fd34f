// A streamed answer by OpenAI's client, and what it used.
import OpenAI from 'openai';

import { apiKey, model, url } from './tidegate.ts';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey });

const stream = await client.chat.completions.create({
  model,
  messages: [{ role: 'user', content: 'Say hello in three words.' }],
  max_completion_tokens: 50,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  if (chunk.usage) console.log(`\n${chunk.usage.total_tokens} tokens`);
}
