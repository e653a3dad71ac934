// Starts `muster ledger` on a free port in a temporary folder, and ends it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STARTED_WITHIN_MS = 20_000;

export class Ledger {
  static async start(program, args) {
    const folder = mkdtempSync(join(tmpdir(), 'muster-conformance-'));
    const ledger = new Ledger();
    ledger.folder = folder;
    ledger.log = '';
    ledger.process = spawn(program, ['ledger', '--data', join(folder, 'data'), '--port', '0', ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => ledger.process.on('exit', (code) => resolve(code)));
    ledger.ended = ended;
    for (const stream of [ledger.process.stdout, ledger.process.stderr]) {
      stream.on('data', (bytes) => { ledger.log += bytes; });
    }
    const deadline = Date.now() + STARTED_WITHIN_MS;
    for (;;) {
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(ledger.log);
      if (found) {
        ledger.port = Number(found[1]);
        return ledger;
      }
      if (Date.now() > deadline || ledger.process.exitCode !== null) {
        await ledger.stop();
        throw new Error(`the ledger did not start:\n${ledger.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get ws() { return `ws://127.0.0.1:${this.port}`; }
  get http() { return `http://127.0.0.1:${this.port}`; }

  // Resolves to the exit code.
  async stop() {
    this.process.kill('SIGTERM');
    const code = await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}
