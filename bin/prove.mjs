#!/usr/bin/env node
import { fileURLToPath } from 'node:url';
import { layGround } from './ground.mjs';

await layGround(fileURLToPath(import.meta.url));
await import('./prove.ts');
