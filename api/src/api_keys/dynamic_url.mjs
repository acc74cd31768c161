import { createHmac } from "node:crypto";

const fields = {
%FIELDS%  "ts": String(Math.floor(Date.now() / 1000)),
};
const escape = (text) => encodeURIComponent(text)
  .replace(/[!'()*]/g, (sign) => "%" + sign.charCodeAt(0).toString(16).toUpperCase());
const query = Object.keys(fields).sort().map((name) => `${name}=${escape(fields[name])}`).join("&");
const signature = createHmac("sha256", process.env.CONSIGN_URL_SECRET)
  .update(`v1\nGET\n%PATH%\n${query}`).digest("hex");
const answer = await fetch(`%ORIGIN%%PATH%?${query}&sig=${signature}`);
console.log(await answer.text());
