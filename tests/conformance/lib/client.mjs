// Muster's own client as a process (client.cpp): asked line by line.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class Client {
  constructor(program, url, netuid) {
    this.folder = mkdtempSync(join(tmpdir(), 'muster-client-'));
    this.process = spawn(program, [url, String(netuid), this.folder], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
  }

  async ask(request) {
    this.process.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done) throw new Error('our client has ended');
    return JSON.parse(value);
  }

  // The door's answer; an exception with its sentence if it says no.
  async do(door, key, request = {}) {
    const answer = await this.ask({ do: door, key, ...request });
    if (answer.error) throw new Error(`${door}: ${answer.error}`);
    return answer;
  }

  stop() {
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
