"""HL7 v2 messages for tests: made up, in the shapes that systems send."""

SIU = (
    b"MSH|^~\\&|EPIC|HOSP|CAREWRIGHT|HOSP|20261102080000||SIU^S12^SIU_S12|MSG00001|P|2.5.1\r"
    b"SCH|10345^EPIC|2196178^CW||||FOLLOWUP^Follow-up^L|||30|MIN^Minutes|^^^20261103093000^20261103100000|||||9999^Clerk^Carla|||||9999||||"
    b"|Booked\r"
    b"PID|1||777^^^HOSP^MR~123-45-6789^^^USSSA^SS||Everywoman^Eve^E||19620320|F|||10 Main St^^Madison^WI^53711||(608)555-0100|||||\r"
    b"RGS|1|A\r"
    b"AIS|1|A|SOLO^Office visit^L|20261103093000|||30|MIN\r"
    b"AIP|1|A|1234567893^Adams^Ann^^^^^^NPI^^^^NPI|RESIDENT\r"
    b"AIL|1|A|CITY^ROOM1^^HOSP\r"
)
