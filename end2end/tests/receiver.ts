// A receiving system that a test rules: it answers as it is told, late or never, and remembers what came.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** One POST: the id of its batch, and its messages. */
export interface Post {
  batch: string;
  customers: string[];
}

/** Answered at once, after some milliseconds, or not before the receiver ends. */
export type Answer = { status?: number; code?: string; message?: string; after?: number } | 'never';

interface Message {
  user_profile: { customer_id: string };
  callback_params: { batchId: string };
}

export class Receiver {
  readonly posts: Post[] = [];
  /** How many POSTs wait for an answer that does not come. */
  held = 0;
  answer: (post: Post) => Answer = () => ({});

  private constructor(private readonly server: Server, private readonly scheme: string) {}

  static async start(tls?: ServerOptions) {
    const take = (request: IncomingMessage, response: ServerResponse) => void receiver.take(request, response);
    const server = tls ? createTlsServer(tls, take) : createServer(take);
    const receiver = new Receiver(server, tls ? 'https' : 'http');
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return receiver;
  }

  get url() {
    return `${this.scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}/coupon`;
  }

  private async take(request: IncomingMessage, response: ServerResponse) {
    // The connection may be cut: nobody waits for an answer then.
    const messages = await json(request).catch(() => null) as Message[] | null;
    if (!messages) return;
    const post = { batch: messages[0].callback_params.batchId, customers: messages.map((one) => one.user_profile.customer_id) };
    this.posts.push(post);
    const answer = this.answer(post);
    if (answer === 'never') {
      this.held += 1;
      response.on('close', () => { this.held -= 1; });
      return;
    }
    const { status = 200, code = 'OK', message = '', after = 0 } = answer;
    setTimeout(() => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code, message }));
    }, after);
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
