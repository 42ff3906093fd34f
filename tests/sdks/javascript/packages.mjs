// What npm has installed lies with the examples, whose lock file says which versions.
import { createRequire } from 'node:module';

export const load = createRequire(new URL('../../../examples/typescript/', import.meta.url));

const { z } = load('zod');
export const Tide = z.object({ place: z.string(), metres: z.number() });
