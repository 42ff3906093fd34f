// What can go wrong, and whose turn it is then. The client waits and tries again by itself where
// the gateway says that it may (`x-should-retry`, `retry-after-ms`), at most `maxRetries` times.
import OpenAI from 'openai';

import { apiKey, model, url } from './tidegate.ts';

const client = new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 2, timeout: 60_000 });

export async function ask(route: string, question: string): Promise<string> {
  try {
    const answer = await client.chat.completions.create({
      model: route,
      messages: [{ role: 'user', content: question }],
      max_completion_tokens: 50,
    });
    return answer.choices[0]?.message.content ?? '';
  } catch (error) {
    if (error instanceof OpenAI.RateLimitError) {
      // `insufficient_quota` is a budget that is spent: later is no help before it is given anew.
      const seconds = error.headers?.get('retry-after');
      return `${error.code}: ${seconds ? `again in ${seconds} s` : 'not before the budget is'}`;
    }
    if (error instanceof OpenAI.APIConnectionError) return 'the gateway was not reached';
    if (error instanceof OpenAI.APIError) {
      return `${error.status} ${error.code}: ${error.message} (${error.requestID})`;
    }
    throw error;
  }
}

for (const route of process.argv.length > 2 ? process.argv.slice(2) : [model]) {
  console.log(await ask(route, 'Say hello.'));
}
