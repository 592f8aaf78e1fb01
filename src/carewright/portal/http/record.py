"""A patient's own record: what it is, and the file with everything that is held about them."""

from starlette.responses import Response, StreamingResponse

from carewright.contracts.record_file import INDEX, NDJSON, Index, lines_of
from carewright.contracts.records import ExportRecord
from carewright.kernel.archive import zipped
from carewright.portal.http.page import Ask


async def show_record(ask: Ask) -> Response:
    return ask.show("record.html")


async def download(ask: Ask) -> Response:
    """The archive. The first page is asked for before anything is sent: who signed in too long ago does so once more, and comes back."""
    ctx, command = ask.ctx, ExportRecord(patient_id=ask.ctx.patient_id)
    first = await ctx.records.export_record(ctx.actor, command)
    index = Index(ctx.settings.hospital_name, ctx.clock.now())
    headers = {"Content-Disposition": 'attachment; filename="my-record.zip"'}
    content = zipped(NDJSON, lines_of(ctx.records, ctx.actor, command, first, index), {INDEX: index})
    return StreamingResponse(content, 200, headers, "application/zip")
