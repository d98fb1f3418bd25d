"""Why a cell is repaired or refused: once for the row it is in, once for the list of problems, and what to do.

Words only, for merchandisers. `{code}` is the number or ASIN as it stands in the cell, `{used}` what it is read as.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Reason:
    """`what` names the kind, `note` the one cell (the same words, if empty), `advice` what helps."""

    what: str
    note: str = ""
    advice: str = ""
    is_repair: bool = False


def both(first: Reason, second: Reason) -> Reason:
    """Give two reasons for what was done to one code."""
    note = f"{first.note or first.what}; {second.note or second.what}"
    return replace(first, note=note, is_repair=first.is_repair or second.is_repair)


# --- read, and said so ------------------------------------------------------------------------------------------

LOST_ZERO = Reason("leading zero restored", "leading zero restored: {code} is {used}", is_repair=True)
SHOWN_ZERO = Reason(
    "leading zero restored, as the cell's format shows it",
    "leading zero restored, as the cell's format shows it: {used}",
    is_repair=True,
)
ISBN_ZERO = Reason(
    "leading zero of the ISBN-10 restored", "leading zero of the ISBN-10 restored: {used}", is_repair=True
)
WRITTEN_OUT = Reason("written out from scientific notation", "written out from scientific notation", is_repair=True)
UPC_E = Reason("UPC-E written out", "UPC-E {code} written out as {used}", is_repair=True)
UNIT = Reason(
    "case code: the single article inside is looked up",
    "{code} is a case; the single article inside, {used}, is looked up (--unpack-cases)",
)
PADDED = Reason("padding zeros removed", "padding zeros removed: {used}")
AS_ISBN10 = Reason("ISBN-13 asked for as its ISBN-10", "ISBN-13 {code} asked for as its ISBN-10 {used}")
AS_ISBN13 = Reason("ISBN-10 asked for as its ISBN-13", "ISBN-10 {code} asked for as its ISBN-13 {used}")
SENT_ANYWAY = Reason(
    "check digit wrong, sent all the same", "check digit of {code} is wrong, sent all the same (--send-invalid)"
)

SEVERAL = Reason(
    "several codes in the cell, the first valid one taken",
    "several codes in the cell; took {used}, the first valid one",
)
ODD_ASIN = Reason("unusual ASIN", "unusual ASIN: {used} does not begin with B0")
FROM_TEXT = Reason("code taken from the text around it", "code taken from the text around it: {used}")
FROM_ADDRESS = Reason("code taken from the address", "{used} taken from the address")

# --- refused ----------------------------------------------------------------------------------------------------

OTHER = Reason(
    "neither an ASIN nor a UPC or EAN", advice="look at the cells; if the codes stand elsewhere: --code-column"
)
ZEROS = Reason("only zeros", advice="zeros stand for no code here; fill it in where there is one")
FNSKU = Reason(
    "FNSKU, Amazon's label of one seller's stock",
    "{code} is an FNSKU, Amazon's label of one seller's stock; give the ASIN",
    "use the column with the ASINs",
)
DATE = Reason(
    "a date, not a code", "a date, not a code", "look at the cells; if the codes stand elsewhere: --code-column"
)
SHORTENED = Reason(
    "shortened to scientific notation by a spreadsheet",
    "shortened to {code} by a spreadsheet: the other digits are lost; take the code from its source",
    "the digits are gone from this file: export it again with the column as text",
)
ROUNDED = Reason(
    "rounded by a spreadsheet: the last digits are lost",
    "{code} was rounded by a spreadsheet: its last digits are lost; take the code from its source",
    "the digits are gone from this file: export it again with the column as text",
)
LENGTH = Reason(
    "not as many digits as a UPC (12) or an EAN (13 or 8)",
    "{count} digits: a UPC has 12, an EAN 13 or 8",
    "most likely numbers of your own; look the UPC or EAN up",
)
PADDED_SHORT = Reason(
    "padded with zeros, and too short for a UPC or EAN",
    "{code} padded with zeros: too short for a UPC or EAN",
    "most likely numbers of your own; look the UPC or EAN up",
)
BAD_GTIN14 = Reason(
    "check digit of a GTIN-14 wrong",
    "check digit wrong: {code} would have to end in {right}; a mistyped digit?",
    "compare with the package",
)
BAD_EAN8 = Reason(
    "8 digits, and not an EAN-8",
    "8 digits, and not an EAN-8: {code} would have to end in {right}",
    "compare with the package, or look the code up",
)
BAD_UPC_E = Reason(
    "8 digits, and not a UPC-E",
    "{code} is no UPC-E: it begins with 0 or 1 and has a check digit, which is wrong here",
    "compare with the package",
)
DOUBTFUL_UPC_E = Reason(
    "may be a short UPC-E",
    "{code} may be a short UPC-E: write the UPC in full, 12 digits",
    "write UPCs in full, 12 digits; or name the column UPC-E",
)
BAD_CHECK = Reason(
    "check digit wrong",
    "check digit wrong: {code} would have to end in {right}; a mistyped digit?",
    "compare with the package; to send them all the same: --send-invalid",
)
IN_ADDRESS = Reason(
    "a number in an address, which need not be the product's",
    "{code} stands in an address and need not be the product's number",
    "write the code itself into the cell",
)
NO_CHECK = Reason(
    "the column's numbers seem to have lost their check digits",
    "{code} seems to have lost its check digit, like most numbers of this length here",
    "export the codes again, in full: which digits are missing can't be told from this file",
)
CASE = Reason(
    "GTIN-14 of a case, another article than the single one",
    "{code} is the GTIN-14 of a case, another article than the single one",
    "to look up the single article inside: --unpack-cases",
)
MEASURE = Reason(
    "GTIN-14 of goods sold by weight",
    "{code} is the GTIN-14 of goods sold by weight or length",
    "such articles have no price a piece; give the EAN",
)
IN_STORE = Reason(
    "in-store or coupon number, not a global product",
    "{code} is an in-store or coupon number, not a global product",
    "such numbers mean something in one shop only; look the UPC or EAN up",
)
AMBIGUOUS_8 = Reason(
    "can be an EAN-8 or a short UPC-E",
    "{code} can be an EAN-8 or a short UPC-E: write the UPC in full, 12 digits",
    "write UPCs in full, 12 digits; or name the column EAN-8 or UPC-E",
)
AMBIGUOUS_ISBN = Reason(
    "can be an EAN-8 or an ISBN-10 that lost zeros",
    "{code} can be an EAN-8 or an ISBN-10 that lost zeros: write it in full",
    "write ISBNs in full, 10 or 13 characters; or name the column EAN-8 or ISBN",
)
AMBIGUOUS_10 = Reason(
    "can be an ISBN-10 or a UPC that lost zeros",
    "{code} can be an ISBN-10 or a UPC that lost zeros: write it in full",
    "write UPCs in full, 12 digits; or name the column ISBN",
)
BAD_10 = Reason(
    "10 digits, and not an ISBN-10",
    "10 digits, and not an ISBN-10: the check digit is wrong",
    "most likely numbers of your own; look the code up",
)
BAD_ISBN = Reason(
    "not an ISBN-10, with or without lost zeros",
    "{code} is no ISBN-10, not even with zeros restored: the check digit is wrong",
    "compare with the book",
)
DOUBTFUL_ISBN_ZERO = Reason(
    "may be an ISBN-10 that lost zeros",
    "{code} may be an ISBN-10 that lost zeros, or another digit: write it in full",
    "write ISBNs in full, 10 or 13 characters, in a column formatted as text",
)
DOUBTFUL_ZERO = Reason(
    "may be a UPC that lost its zero",
    "{count} digits: if this is a UPC that lost zeros, write it as {used}",
    "write UPCs in full, 12 digits, in a column formatted as text",
)
ELEVEN_WITH_ZERO = Reason(
    "11 digits that begin with 0, one less than a UPC",
    "11 digits that begin with 0: a UPC has 12, so another digit is missing",
    "a digit is missing: compare with the package",
)
ELEVEN = Reason(
    "11 digits, one less than a UPC",
    "11 digits: a UPC has 12, and with a zero in front the check digit is wrong",
    "a digit is missing: compare with the package",
)
DOUBTFUL = Reason(
    "right only by chance, as other numbers of this length here are not",
    "{code} is right only by chance: other numbers of {count} digits here are not",
    "if the codes stand elsewhere: --code-column; otherwise write them in full",
)
NOT_WANTED = Reason(
    "a code of another type than asked for",
    "{code} is {kind}, and only {wanted} were asked for",
    "to take all types: --code-type auto",
)
NOT_AS_SAID = Reason(
    "not of the type that its row names",
    "{code} is {kind}, but its row says {said}",
    "correct the type or the code",
)
UNKNOWN_CLAIM = Reason(
    "the row's type of code is not known",
    "the row's type of code is not known: {claim}",
    "the types known are ASIN, ISBN, UPC, EAN and GTIN, or Amazon's numbers 1 to 4",
)
NOT_REPAIRED = Reason(
    "left as it is, as asked (--repair off)",
    "left as it is (--repair off); a repair would be: {why}",
    "to repair: --repair safe",
)
OTHER_SITE = Reason(
    "address of a marketplace that the service does not offer",
    "the address is of a marketplace that the service does not offer: {code}",
    "the marketplaces are com ca de fr it nl es in uk jp au mx",
)
UNKNOWN_MARKETPLACE = Reason("unknown marketplace", "", "the marketplaces are com ca de fr it nl es in uk jp au mx")
TWO_MARKETPLACES = Reason(
    "address and marketplace column contradict each other",
    "the address names another marketplace than the row",
    "correct one of the two",
)
