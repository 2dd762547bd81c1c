import { busContract } from "./contract.ts";
import { MemoryBus } from "./memory.ts";

busContract("memory", () => Promise.resolve(new MemoryBus()));
