// What the server says and is asked beyond the Language Server Protocol; see docs/language-server.md.
import { NotificationType, type Position, type Range, RequestType, type WorkspaceEdit } from "vscode-languageclient";

/** The command that tells the server that one of its items was accepted; its argument is the item's id. */
export const ACCEPTED_COMMAND = "quickfill.accepted";

/** The editor's command by which a code action asks for an instruction; its argument is a `Place`. */
export const ASK_INSTRUCTION_COMMAND = "quickfill.askInstruction";

/** Commands of the server that are about a place; without an argument, about what is selected. */
export const PLACE_COMMANDS: readonly string[] = ["quickfill.repair", "quickfill.writeDocstring"];

export const MASK = "░";

/** How the server numbers what asked for a suggestion, as `textDocument/inlineCompletion` does. */
export const TriggerKind = { invoked: 1, automatic: 2 } as const;
export type TriggerKind = (typeof TriggerKind)[keyof typeof TriggerKind];

export interface VersionedDocument {
  uri: string;
  version: number;
}

export interface Place {
  textDocument: VersionedDocument;
  range: Range;
}

export interface FillParams {
  textDocument: VersionedDocument;
  ranges: Range[];
  denoising: boolean;
  workDoneToken: string;
}

export interface EditParams {
  textDocument: VersionedDocument;
  range: Range;
  instruction: string;
  denoising: boolean;
  workDoneToken: string;
}

export interface NextEditParams {
  textDocument: VersionedDocument;
  position: Position;
  context: { triggerKind: TriggerKind };
}

export interface NextEdit {
  id: string;
  textDocument: VersionedDocument;
  range: Range;
  text: string;
  source: string;
  title: string;
  probability: number;
}

export interface IndexReport {
  folder: string;
  files: number;
  words: number;
  building: boolean;
}

export interface Status {
  state: "loading" | "ready" | "working" | "error";
  message: string;
  model: string;
  version: string | null;
  runtime: Record<string, string>;
  /** By name; `rewrites` says whether the model has learned to rewrite code. Not known until it is loaded. */
  abilities?: Record<string, boolean> | null;
  shared: boolean;
  nextEdit?: boolean;
  indexes?: IndexReport[];
}

/** A text with its masked slots, each shown as one `MASK`; spans are in UTF-16 units. */
export interface Canvas {
  text: string;
  maskedSpans: [number, number][];
}

/** An answer while it is written: what stands in the place of `range`, and for several holes what in each. */
export interface DenoiseUpdate extends Canvas {
  id: number | string;
  textDocument: VersionedDocument;
  range: Range;
  step: number;
  steps: number;
  holes: Canvas[];
}

export const FillRequest = new RequestType<FillParams, WorkspaceEdit | null, void>("quickfill/fill");
export const EditRequest = new RequestType<EditParams, WorkspaceEdit | null, void>("quickfill/edit");
export const NextEditRequest = new RequestType<NextEditParams, { edits: NextEdit[] } | null, void>(
  "quickfill/nextEdit",
);
export const StatusRequest = new RequestType<object, Status, void>("quickfill/status");
export const DidChangeStatus = new NotificationType<Status>("quickfill/didChangeStatus");
export const DidDenoise = new NotificationType<DenoiseUpdate>("quickfill/didDenoise");

/** For this version of a document there is more than was answered. */
export const DidFindSuggestion = new NotificationType<{ textDocument: VersionedDocument }>(
  "quickfill/didFindSuggestion",
);

/** The cursor was put somewhere and stays there. */
export const DidRest = new NotificationType<{ textDocument: { uri: string }; position: Position }>("quickfill/didRest");

export interface PartiallyAccepted {
  item: { insertText: string; command: unknown };
  /** In UTF-16 units, from the beginning of the item's text. */
  acceptedLength: number;
}

export const DidPartiallyAccept = new NotificationType<PartiallyAccepted>("textDocument/didPartiallyAcceptCompletion");
