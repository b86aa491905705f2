import type { Limits, XrtcClient, XrtcClientOptions } from "../../src/index.js";
import type { XrtcServerOptions } from "../../src/server/index.js";
import { FaultProxy } from "./fault-proxy.js";
import { scaledClock } from "./scaled-clock.js";
import { type Service, startService, take } from "./service.js";

export const LOGIN = "/v1/auth/login";
export const SET = "/v1/item/set";
export const GET = "/v1/item/get";

/** A client and a server on real sockets with an unreliable network between them. */
export interface FaultStage extends AsyncDisposable {
  readonly service: Service;
  readonly proxy: FaultProxy;
  readonly client: XrtcClient;
  /** Sets one item. */
  set(payload: string, portalId?: string): ReturnType<XrtcClient["setItems"]>;
  /** What a reader of its own, beside the proxy, finds in a portal. */
  stored(count: number, portalId?: string): Promise<string[]>;
}

export interface FaultStageOptions {
  /** How many times faster than the wall both sides live. @defaultValue 20 */
  readonly factor?: number;
  readonly client?: Omit<XrtcClientOptions, "limits">;
  /** The client's. */
  readonly limits?: Partial<Limits>;
  readonly server?: Partial<XrtcServerOptions>;
}

/** Logins follow each other without a pause: that is the point of other tests. */
export async function faultStage(options: FaultStageOptions = {}): Promise<FaultStage> {
  const clock = scaledClock(options.factor ?? 20);
  const limits = { loginIntervalMsMin: 0 };
  const service = await startService({
    clock,
    ...options.server,
    limits: { ...limits, ...options.server?.limits },
  });
  const proxy = await FaultProxy.before(Number(new URL(service.baseUrl).port));
  const client = service.client({
    baseUrl: `${proxy.origin}/v1`,
    ports: { clock },
    ...options.client,
    limits: { ...limits, ...options.limits },
  });
  return {
    service,
    proxy,
    client,
    set: (payload, portalId = "p") => client.setItems([{ portalId, payload }]),
    async stored(count, portalId = "p") {
      const reader = service.client({ limits });
      const items = await take(reader.subscribe({ portals: [portalId], start: "all" }), count);
      return items.map(({ payload }) => payload);
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await proxy.close();
      await service[Symbol.asyncDispose]();
    },
  };
}
