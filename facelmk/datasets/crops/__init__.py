"""The crop cache: of each photograph only the pixels that the crops of a face can reach, equal to those of the file."""
