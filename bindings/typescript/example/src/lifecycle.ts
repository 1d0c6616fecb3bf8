/** Tells the client what the platform says, one after the other: a person may come back while the last push is still under way. */

import type { Client } from 'fieldpost';

/** How long a push may take when the app goes to the background: iOS gives about this much. */
const LAST_PUSH = 5_000;

export class Lifecycle {
  private shown = true;
  private done: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: Pick<Client, 'background' | 'pause' | 'resume' | 'foreground'>,
    private readonly failed: (error: Error) => void,
  ) {}

  /** `inactive`, for example under the control centre, changes nothing. */
  become(state: string): void {
    if (state !== 'active' && state !== 'background') {
      return;
    }
    this.shown = state === 'active';
    this.done = this.done.then(() => (this.shown ? this.show() : this.hide())).catch(this.failed);
  }

  private async show(): Promise<void> {
    await this.client.resume();
    this.client.foreground();
  }

  private async hide(): Promise<void> {
    try {
      await this.client.background(LAST_PUSH);
    } finally {
      if (!this.shown) {
        await this.client.pause();
      }
    }
  }
}
