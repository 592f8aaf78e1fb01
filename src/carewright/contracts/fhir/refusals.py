"""Every way the rim says no by itself. What a use case refuses keeps its own code."""

from carewright.kernel.errors import Refusal


class NotServed(Refusal):
    """A type of resource, or something that could be done with it, that is not in the CapabilityStatement."""

    code = "fhir.not_served"
    status = 404
    issue = "not-supported"
    title = "This is not served here. GET /fhir/R4/metadata says what is."


class UnknownId(Refusal):
    code = "fhir.unknown_id"
    status = 404
    issue = "not-found"
    title = "There is no such resource here."


class UnknownVersion(Refusal):
    code = "fhir.unknown_version"
    status = 404
    issue = "not-found"
    title = "This version is not kept. The one there is now is read without a version."


class TooManyEntries(Refusal):
    code = "fhir.too_many_entries"
    status = 413
    issue = "too-costly"
    title = "The Bundle has more entries than are taken at once."


class NotAtomic(Refusal):
    """`writes` counts what would have been changed."""

    code = "fhir.not_atomic"
    status = 422
    issue = "not-supported"
    title = "These changes cannot be made together. Send them one by one, or as a batch."


class InvalidResource(Refusal):
    """`issues` names everything that is wrong with its form, as OperationOutcome.issue does."""

    code = "fhir.invalid_resource"
    status = 400
    issue = "structure"
    title = "This is not a resource as FHIR R4 has it."


class InvalidElement(Refusal):
    """`expression` is the FHIRPath of what is not as it must be."""

    code = "fhir.invalid_element"
    status = 422
    issue = "value"
    title = "An element of the resource is not as it must be."


class MissingElement(Refusal):
    code = "fhir.missing_element"
    status = 422
    issue = "required"
    title = "An element that is needed is missing."


class NotSelective(Refusal):
    """R4, conditional create and update: several resources match the criteria."""

    code = "fhir.not_selective"
    status = 412
    issue = "multiple-matches"
    title = "More than one resource is meant. Say more exactly which."


class NoClientIds(Refusal):
    """R4, update: what is not there cannot be put there under an id of the client's."""

    code = "fhir.no_client_ids"
    status = 405
    issue = "not-supported"
    title = "There is no such resource, and new ones get their ids here: POST it."


class ChangeNotSupported(Refusal):
    code = "fhir.change_not_supported"
    status = 422
    issue = "not-supported"
    title = "This cannot be changed like this."


class TimeGone(Refusal):
    """IHE ITI-116 and ITI-117 ask for severity `fatal` and code `not-found`."""

    code = "fhir.time_gone"
    status = 409
    issue = "not-found"
    title = "This time is not available any more. Please find another."


class SearchTooWide(Refusal):
    code = "fhir.search_too_wide"
    status = 422
    issue = "too-costly"
    title = "This search would go through too much. Narrow it."


class UnknownExport(Refusal):
    """Over, cancelled, somebody else's, or never asked for."""

    code = "fhir.unknown_export"
    status = 404
    issue = "not-found"
    title = "There is no such export, or it is there no more."


class ExportsEnough(Refusal):
    code = "fhir.exports_enough"
    status = 429
    issue = "throttled"
    title = "You have as many exports as we keep. Cancel one, or wait until it is over."
