internal class Old
{
    private MemoryMappedFile? map;
}
