#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { LEAN, layGround } from './ground.mjs';

await layGround(fileURLToPath(import.meta.url), [LEAN]);
await import('../bench/bench.ts');
