// Vercel's `ai`: any route as a model of an OpenAI-compatible provider.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamText } from 'ai';

import { apiKey, model, url } from './tidegate.ts';

const tidegate = createOpenAICompatible({
  name: 'tidegate',
  baseURL: `${url}/v1`,
  apiKey,
  includeUsage: true,
});

const { textStream, totalUsage } = streamText({
  model: tidegate(model),
  prompt: 'Say hello in three words.',
  maxOutputTokens: 50,
});
for await (const text of textStream) process.stdout.write(text);
console.log(`\n${(await totalUsage).totalTokens} tokens`);
