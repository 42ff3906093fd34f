// The same gateway by Anthropic's client, whatever provider serves the route.
import Anthropic from '@anthropic-ai/sdk';

import { apiKey, model, url } from './tidegate.ts';

const client = new Anthropic({ baseURL: url, apiKey }); // without /v1, which it adds

const stream = client.messages.stream({
  model,
  max_tokens: 50,
  system: 'Be brief.',
  messages: [{ role: 'user', content: 'Say hello.' }],
});
stream.on('text', (text) => process.stdout.write(text));
const message = await stream.finalMessage();
console.log(`\n${message.stop_reason}, ${message.usage.output_tokens} tokens`);
