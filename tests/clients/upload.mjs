/* Uploads a file with tus-js-client, breaks off in the middle of a request, and resumes; tells of it in JSON lines.

   node upload.mjs URL FILE CHUNK

   URL    of an upload that was created, or of the collection (it ends with /uploads): then it is created by tus
   FILE   what to send
   CHUNK  bytes a request carries

   Lines: {step: "interrupted", acknowledged, sent}   what the server had acknowledged, and what had left, by then
          {step: "resumed", from}                     the offset that the second client went on from
          {step: "sent", url, bytes}                  all bytes are acknowledged */

import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import tus from "tus-js-client";

const [url, file, chunk] = process.argv.slice(2);
const chunkSize = Number(chunk);
const bytes = statSync(file).size;
const say = (step, facts) => console.log(JSON.stringify({ step, ...facts }));

function options(place, events) {
  return {
    ...place,
    chunkSize,
    metadata: { filename: basename(file) },
    // The server may need a moment to see that the first client is gone.
    retryDelays: [100, 500, 2000],
    ...events,
  };
}

function sendHalf(place) {
  return new Promise((resolve, reject) => {
    let acknowledged = 0;
    const upload = new tus.Upload(
      createReadStream(file),
      options(place, {
        onError: reject,
        onSuccess: () => reject(new Error("it was to be broken off")),
        onChunkComplete: (size, accepted) => {
          acknowledged = accepted;
        },
        onProgress: (sent) => {
          if (acknowledged > 0 && sent > acknowledged && sent < bytes) {
            say("interrupted", { acknowledged, sent });
            upload.abort().then(() => resolve(upload.url), reject);
          }
        },
      }),
    );
    upload.start();
  });
}

function resume(uploadUrl) {
  return new Promise((resolve, reject) => {
    let from = null;
    const upload = new tus.Upload(
      createReadStream(file),
      options({ uploadUrl }, {
        onError: reject,
        onSuccess: resolve,
        onChunkComplete: (size, accepted) => {
          if (from === null) {
            from = accepted - size;
            say("resumed", { from });
          }
        },
      }),
    );
    upload.start();
  });
}

const half = await sendHalf(url.endsWith("/uploads") ? { endpoint: url } : { uploadUrl: url });
await resume(half);
say("sent", { url: half, bytes });
