// The requests to the server. Its errors are sentences.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function read(answering) {
  let response;
  try {
    response = await answering;
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server does not answer. Perhaps facelmk serve has ended.', 0);
  }
  const content = await response.json();
  if (!response.ok) throw new ApiError(content.error, response.status);
  return content;
}

export const models = () => read(fetch('api/models'));

/** All faces of a picture, the unlikely ones included: the page has its own threshold. */
export function predict(blob, model, signal) {
  const query = new URLSearchParams({ model, min_score: 0 });
  const type = blob.type.startsWith('image/') ? blob.type : 'application/octet-stream';
  return read(fetch(`api/predict?${query}`, { method: 'POST', body: blob, headers: { 'Content-Type': type }, signal }));
}
