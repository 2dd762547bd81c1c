/** Tasks of a job. */
import { listTasks } from "../../../protocol/api/tasks.ts";
import { serve } from "./call.ts";

export const taskOperations = [serve(listTasks, ({ master, params, query }) => master.tasks(params.name, query))];
