// Vercel's `ai` with `@ai-sdk/openai-compatible` as a caller of chat completions.
import { load } from './packages.mjs';

const { generateText, jsonSchema, stepCountIs, streamText, tool } = load('ai');
const { createOpenAICompatible } = load('@ai-sdk/openai-compatible');

export const client = (url, apiKey) =>
  createOpenAICompatible({ name: 'tidegate', baseURL: `${url}/v1`, apiKey, includeUsage: true });

export async function say(client, { model, instruction, question, tools, results, ceiling }, streamed) {
  const known = Object.entries(tools ?? {}).map(([name, schema]) => (
    [name, tool({ inputSchema: jsonSchema(schema), execute: async () => results[name] })]
  ));
  const asked = {
    model: client(model),
    system: instruction,
    prompt: question,
    maxOutputTokens: ceiling,
    maxRetries: 0,
    tools: Object.fromEntries(known),
    stopWhen: stepCountIs(3),
  };
  if (!streamed) return generateText(asked);
  const stream = streamText({ ...asked, onError: () => {} });
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  const [steps, finishReason, usage] = await Promise.all(
    [stream.steps, stream.finishReason, stream.totalUsage]);
  return { text, steps, finishReason, totalUsage: usage };
}

export function goOn() {
  throw new Error('it goes on by itself');
}

export function told({ text, steps, finishReason, totalUsage }) {
  const calls = steps.flatMap((step) => step.toolCalls)
    .map(({ toolCallId, toolName, input }) => [toolCallId, toolName, input]);
  return {
    text,
    calls,
    thought: '',
    signature: '',
    finish: finishReason,
    tokens: [totalUsage.inputTokens, 0, totalUsage.outputTokens, null, 0],
    choices: 1,
  };
}

export const formed = () => null;
