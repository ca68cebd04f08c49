#!/usr/bin/env node
// The command of the product. It brings its own Node and packages, then hands over.
import { fileURLToPath } from 'node:url';
import { LEAN, ensureWebPage, layGround } from './ground.mjs';

await layGround(fileURLToPath(import.meta.url), [LEAN]);
const servesPage = process.argv[2] === 'start' || process.argv[2] === 'serve';
if (servesPage && !process.argv.includes('--help')) ensureWebPage();
await import('../src/cli/main.ts');
