// What does not pass through Portreeve, scenario by scenario, each with its reason. Whatever fails and does not stand
// here fails the stage, and so does what stands here and passes: the lists only shrink.

/** Scenarios of the extension `io.modelcontextprotocol/tasks`, to a server that has it. */
export const tasksOpen = [];

/** A server of both eras whose results do not say that they are complete. */
export const plainOpen = [];

/** A server of one era (`server`) that the suite asks in the other one (`revision`). */
export const bridged = [
  {
    label: "modern to legacy",
    revision: "2026-07-28",
    server: "legacy",
    open: [
      {
        reason: "a server of the legacy era does not ask in its results",
        scenarios: [
          "input-required-result-basic-elicitation",
          "input-required-result-basic-list-roots",
          "input-required-result-basic-sampling",
          "input-required-result-capability-check",
          "input-required-result-ignore-extra-params",
          "input-required-result-missing-input-response",
          "input-required-result-multi-round",
          "input-required-result-multiple-input-requests",
          "input-required-result-non-tool-request",
          "input-required-result-request-state",
          "input-required-result-result-type",
          "input-required-result-tampered-state",
        ],
      },
      {
        reason: "arguments that are repeated in headers are compared by the server alone, and this one does not",
        scenarios: ["http-custom-header-server-validation"],
      },
    ],
  },
  {
    label: "legacy to modern",
    revision: "2025-11-25",
    server: "modern",
    open: [
      {
        reason: "a server of the modern era does not close the stream of a call to go on in another one",
        scenarios: ["server-sse-polling"],
      },
    ],
  },
];
