"""Whether the web server says that everything works."""

import http.client

from app.settings import Address

#: Seconds for one answer.
_ANSWER_SECONDS = 2.0
#: What is repeated of an answer at most.
_LENGTH_MAX = 300


def doubt(web: Address) -> str | None:
    """Ask `GET /readyz`: the store answers, and all that must be done again and again is done.

    Returns:
        None if everything is ready, else a sentence that says what is not.
    """
    # Not through a proxy that the environment may name.
    connection = http.client.HTTPConnection(web.host, web.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return None
        said = answer.read(_LENGTH_MAX).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"the web server does not answer ({error})."
    finally:
        connection.close()
    return f"GET /readyz answers {answer.status} {said}."
