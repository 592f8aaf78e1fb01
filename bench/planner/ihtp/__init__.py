"""The Integrated Healthcare Timetabling Problem of the competition IHTC-2024: admissions, rooms, theatres and nurses of a hospital."""
