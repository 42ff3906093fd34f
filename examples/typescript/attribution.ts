// Who asks, in which conversation, and how long it may take: headers, which every client can send.
import OpenAI from 'openai';

import { apiKey, model, url } from './tidegate.ts';

const client = new OpenAI({
  baseURL: `${url}/v1`,
  apiKey,
  defaultHeaders: { 'x-tidegate-priority': 'batch' }, // give way to others
});

const { data, response } = await client.chat.completions
  .create(
    { model, messages: [{ role: 'user', content: 'Say hello.' }], max_completion_tokens: 50 },
    {
      headers: {
        'x-tidegate-session-id': 'conversation-7',
        'x-tidegate-end-user-id': 'user-42',
        'x-tidegate-timeout': '20', // seconds; what cannot be done by then is not begun
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    },
  )
  .withResponse();
console.log(data.choices[0]?.message.content);
console.log(`receipt ${response.headers.get('x-request-id')}`);
